"""Looking at images: slices along the axes of their voxels, in a window, with a segmentation over them.

What is kept packed is unpacked once into bricks, by a child process (`podium.platform.images.unpacking`), and stays for
a while; a slice reads the bricks that it touches and no more. Geometry, windows and colours are pure.
"""
