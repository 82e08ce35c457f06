"""Medical images as people upload them, made into checked, normalized images.

`import_files` is the way in: a folder of uploads becomes a report in which every file is part of an image, rejected
with a reason, or ignored as junk. The rules of geometry (`planes`, `stacks`) are pure functions over typed values;
files are only opened in child processes that may fail alone (`children`).
"""
