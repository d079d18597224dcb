// The connection to the server: resumes behind the last message seen, whatever interrupted it.

const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30_000;
const CHECK = 10_000;
const ASLEEP = 150_000; // more than the minute to which browsers slow the timers of hidden pages
const SILENCE = 40_000; // the server gives a sign of life every ten seconds
// Browsers have six connections to a server over HTTP/1.1, whatever the number of tabs: hidden ones only look in.
const HIDDEN = 30_000;
const LOOK_IN = 60_000;
const MOST_AT_ONCE = 20; // rows a frame: with more of them, scrolling and typing would stumble
const NO_FRAME = 250; // ms, after which there will be none: hidden pages are not drawn

// Call `onRows` with the HTML of the messages that came since the last frame, oldest first, `onDeleted` with the id of
// each that was deleted (or "*"), `onOutlook` with the HTML of what stands around the list, `onState` with "live",
// "reconnecting" or "out". `staysOn` says whether this tab stays connected while it is hidden. Return a function that
// makes it follow another address, from there on.
export function follow(url, { onRows, onDeleted, onOutlook, onState, staysOn }) {
  const rows = collect(onRows);
  let source, cursor, timer, silence, hiding;
  let delay = FIRST_DELAY;
  let isLeaving = false; // at the next sign of life, when nothing more is to come

  function connect() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(cursor ? resumed(url, cursor) : url);
    listen("open", () => {
      delay = FIRST_DELAY;
      onState("live");
    });
    listen("message", (event) => {
      cursor = event.lastEventId;
      rows.add(event.data);
    });
    listen("deleted", (event) => onDeleted(event.data));
    listen("outlook", (event) => onOutlook(event.data));
    listen("alive", () => {
      onState("live");
      if (isLeaving) rest();
    });
    source.addEventListener("error", () => {
      onState("reconnecting");
      if (source.readyState === EventSource.CLOSED) retry(); // after an HTTP error; otherwise the browser tries again
    });
    waitForSign();
  }

  function listen(name, act) {
    source.addEventListener(name, (event) => {
      waitForSign();
      act(event);
    });
  }

  function waitForSign() {
    clearTimeout(silence);
    silence = setTimeout(() => {
      onState("reconnecting");
      connect();
    }, SILENCE);
  }

  function retry() {
    clearTimeout(timer);
    clearTimeout(silence);
    timer = setTimeout(connectIfSignedIn, delay);
    delay = Math.min(2 * delay, LONGEST_DELAY);
  }

  async function connectIfSignedIn() {
    try {
      const answer = await fetch("/api/v1/leases"); // not /readyz: whether modems work is another matter
      if (answer.status === 401) onState("out");
      else if (answer.ok) connect();
      else retry();
    } catch {
      retry();
    }
  }

  function rest() {
    source.close();
    clearTimeout(timer);
    clearTimeout(silence);
    hiding = setTimeout(() => {
      connect();
      leave();
    }, LOOK_IN);
  }

  async function leave() {
    const stays = await staysOn();
    isLeaving = document.hidden && !stays;
  }

  function watchHiding() {
    clearTimeout(hiding);
    isLeaving = false;
    if (document.hidden) hiding = setTimeout(leave, HIDDEN);
    else if (source.readyState === EventSource.CLOSED) connectIfSignedIn();
  }

  connect();
  addEventListener("online", connect);
  addEventListener("pageshow", (event) => event.persisted && connect());
  document.addEventListener("visibilitychange", watchHiding);
  onWaking(connect);
  return (other) => {
    url = other;
    cursor = undefined;
    rows.drop(); // they are of the list before
    connect();
  };
}

function resumed(url, cursor) {
  const address = new URL(url, location.href);
  address.searchParams.set("after", cursor);
  return address;
}

// A connection that died while the machine slept looks alive for long.
function onWaking(wake) {
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (now - last > ASLEEP && !document.hidden) wake();
    last = now;
  }, CHECK);
}

// What comes in a burst is shown together: row by row, the browser would lay out the page for each. Return functions:
// `add` takes the HTML of a row, and `show` is called with those of a frame, in the order in which they came; `drop`
// forgets those that wait.
function collect(show) {
  let waiting = [];
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

  function add(html) {
    waiting.push(html);
    if (waiting.length === 1) plan();
  }

  return { add, drop: () => (waiting = []) };
}
