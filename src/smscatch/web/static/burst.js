// What comes in a burst is shown together, once a frame: row by row, the browser would lay out the page for each.

const MOST_AT_ONCE = 20; // rows a frame: with more of them, scrolling and typing would stumble
const NO_FRAME = 250; // ms, after which there will be none: hidden pages are not drawn

// Return a function that takes the HTML of one row; call `show` with those of a frame, in the order in which they came.
export function collect(show) {
  const waiting = [];
  let frame, timer;

  function next() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    show(waiting.splice(0, MOST_AT_ONCE));
    if (waiting.length) plan();
  }

  function plan() {
    frame = requestAnimationFrame(next);
    timer = setTimeout(next, NO_FRAME);
  }

  return (html) => {
    if (!waiting.length) plan();
    waiting.push(html);
  };
}
