// A press counts for the button that it began on. A page that is drawn anew may move its buttons while one is held down,
// and the browser then takes the press for one of nothing; so the button keeps the pointer until it is let go. Whoever
// moves the pointer away takes the press back, as everywhere.
(() => {
  if (window.podiumPresses) return;
  window.podiumPresses = true;
  const SLACK = 10; // pixels that a hand may tremble
  let held = null;

  const forget = () => { held = null; };

  const keep = (event) => {
    const button = event.target instanceof Element ? event.target.closest('[data-testid^="stBaseButton"]') : null;
    if (!button || button.disabled || event.button !== 0 || !event.isPrimary) return forget();
    button.setPointerCapture(event.pointerId);
    held = { button, x: event.clientX, y: event.clientY };
  };

  const takeBack = (event) => {
    if (!held || Math.hypot(event.clientX - held.x, event.clientY - held.y) <= SLACK) return;
    if (held.button.hasPointerCapture(event.pointerId)) held.button.releasePointerCapture(event.pointerId);
    forget();
  };

  addEventListener("pointerdown", keep, true);
  addEventListener("pointermove", takeBack, true);
  addEventListener("pointerup", forget, true);
  addEventListener("pointercancel", forget, true);
})();
