// The connection to the server: resumes behind the last message seen, whatever interrupted it.

const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30_000;
const CHECK = 10_000;
const ASLEEP = 150_000; // more than the minute to which browsers slow the timers of hidden pages

// Call `onRow` with each message's HTML, `onDeleted` with the id of each that was deleted (or "*"), `onState` with
// "live", "reconnecting" or "out". Return a function that makes it follow another address, from there on.
export function follow(url, { onRow, onDeleted, onState }) {
  let source, cursor, timer;
  let delay = FIRST_DELAY;

  function connect() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(cursor ? resumed(url, cursor) : url);
    source.addEventListener("open", () => {
      delay = FIRST_DELAY;
      onState("live");
    });
    source.addEventListener("message", (event) => {
      cursor = event.lastEventId;
      onRow(event.data);
    });
    source.addEventListener("deleted", (event) => onDeleted(event.data));
    source.addEventListener("error", () => {
      onState("reconnecting");
      if (source.readyState === EventSource.CLOSED) retry(); // after an HTTP error; otherwise the browser tries again
    });
  }

  function retry() {
    clearTimeout(timer);
    timer = setTimeout(connectIfSignedIn, delay);
    delay = Math.min(2 * delay, LONGEST_DELAY);
  }

  async function connectIfSignedIn() {
    try {
      const answer = await fetch("/readyz");
      if (answer.status === 401) onState("out");
      else if (answer.ok) connect();
      else retry();
    } catch {
      retry();
    }
  }

  connect();
  addEventListener("online", connect);
  addEventListener("pageshow", (event) => event.persisted && connect());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && source.readyState === EventSource.CLOSED) connectIfSignedIn();
  });
  onWaking(connect);
  return (other) => {
    url = other;
    cursor = undefined;
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
    if (now - last > ASLEEP) wake();
    last = now;
  }, CHECK);
}
