// A press counts for the button that it began on. A page that is drawn anew may move its buttons while one is held down,
// and the browser then takes the press for one of nothing; so the button keeps the pointer until it is let go. One that
// was made anew meanwhile, or was hidden for a moment, is not pressed by the browser either: then it is pressed here,
// known by its key. Whoever moves the pointer away takes the press back, as everywhere.
(() => {
  if (window.podiumPresses) return;
  window.podiumPresses = true;
  const SLACK = 10; // pixels that a hand may tremble
  const BUTTON = '[data-testid^="stBaseButton"]';
  let held = null;

  const forget = () => { held = null; };

  const keyOf = (button) => {
    const keyed = button.closest('[class*="st-key-"]');
    return keyed && [...keyed.classList].find((name) => name.startsWith("st-key-"));
  };

  const keep = (event) => {
    const button = event.target instanceof Element ? event.target.closest(BUTTON) : null;
    if (!button || button.disabled || event.button !== 0 || !event.isPrimary) return forget();
    button.setPointerCapture(event.pointerId);
    held = { button, key: keyOf(button), label: button.textContent, x: event.clientX, y: event.clientY };
  };

  const takeBack = (event) => {
    if (!held || Math.hypot(event.clientX - held.x, event.clientY - held.y) <= SLACK) return;
    if (held.button.hasPointerCapture(event.pointerId)) held.button.releasePointerCapture(event.pointerId);
    forget();
  };

  const now = ({ button, key, label }) => {
    if (button.isConnected || !key) return button;
    const made = [...document.querySelectorAll(`.${CSS.escape(key)} ${BUTTON}`)];
    return made.find((one) => one.textContent === label);
  };

  const letGo = () => {
    const press = held;
    forget();
    if (!press) return;
    let counted = false;
    const count = () => { counted = true; };
    addEventListener("click", count, { capture: true, once: true });
    // The browser's own click, if there is one, comes before this.
    setTimeout(() => {
      removeEventListener("click", count, true);
      const button = counted ? null : now(press);
      if (button && button.isConnected && !button.disabled) button.click();
    });
  };

  addEventListener("pointerdown", keep, true);
  addEventListener("pointermove", takeBack, true);
  addEventListener("pointerup", letGo, true);
  addEventListener("pointercancel", forget, true);
})();
