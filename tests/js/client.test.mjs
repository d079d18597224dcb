import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as smscatch from "smscatch";
import { Cutter, deliver, KEY, newLine, sms, until, URL_ } from "./around.mjs";

const { SmsCatch, NoMessage, NoFreeLine, LeaseEnded, BadRequest, BadSetting, CannotReach, Unauthorized } = smscatch;

/** Return a leased line of its own. */
async function lease(t, client = sms) {
  const phone = await client.lease({ line: await newLine(), ttl: 600 });
  t.after(async () => (await sms.leased(phone.id)).release());
  return phone;
}

/** Return a client whose way to the server is a proxy. */
async function behindProxy(t) {
  const proxy = await new Cutter().open();
  t.after(() => proxy.close());
  return [new SmsCatch(proxy.url, KEY), proxy];
}

test("a code that comes while one waits for it is returned", async (t) => {
  const phone = await lease(t);
  const waiting = phone.waitForCode();
  await deliver(phone.number, "Your code is 482913");
  assert.equal(await waiting, "482913");
});

test("each wait returns the next message, and none twice", async (t) => {
  const phone = await lease(t);
  for (const code of ["111111", "222222", "333333"]) await deliver(phone.number, `Your code is ${code}`);
  const codes = await Promise.all([phone.waitForCode(), phone.waitForCode()]);
  assert.deepEqual([...codes.sort(), await phone.waitForCode()], ["111111", "222222", "333333"]);
  await assert.rejects(phone.waitForMessage({ timeout: 0 }), /an earlier wait returned the text from 'Authy'/);
});

test("more texts than an address may name are read one by one", async (t) => {
  const phone = await lease(t);
  const texts = Array.from({ length: 25 }, (_, n) => `number ${n}`);
  for (const text of texts) await deliver(phone.number, text);
  const found = [];
  while (found.length < texts.length) found.push((await phone.waitForMessage()).text);
  assert.deepEqual(found, texts);
  for (let n = 0; n < 25; n += 1) await deliver(phone.number, "no code");
  await deliver(phone.number, "Your code is 482913");
  assert.equal(await phone.waitForCode(), "482913");
});

test("a wait is for a sender, a part of the text, or a pattern, which says what did not match", async (t) => {
  const phone = await lease(t);
  await deliver(phone.number, "Ihr Wort: kiwi-7, siehe https://app.example/a/b und https://app.example/go?t=1", "Bank");
  await assert.rejects(phone.waitForCode({ sender: "Authy", timeout: 0 }), (error) => {
    assert.ok(error instanceof NoMessage && error instanceof smscatch.SmsCatchError);
    assert.equal(error.code, "no_message");
    assert.match(error.message, /^No message matched in 0 s: 1 came to .*: sender 'Bank' is not 'Authy'/);
    assert.equal(error.details.near_misses[0].sender, "Bank");
    return true;
  });
  await assert.rejects(phone.waitForCode({ codePattern: /w-(\d)/g, timeout: 0 }), /the pattern \/w-\(\\d\)\/ does not match/);
  await assert.rejects(phone.waitForLink({ linkPattern: "ftp:", timeout: 0 }), /there is no link like \/ftp:\/ in the text/);
  assert.equal(await phone.waitForLink({ contains: "WORT", linkPattern: /go/ }), "https://app.example/go?t=1");
  await deliver(phone.number, "Ihr Wort: kiwi-8", "Bank");
  assert.equal(await phone.waitForCode({ codePattern: "x(\\d)|kiwi-(\\d)", sender: "bank" }), "8");
});

test("behind a mark comes only what came later, and what it passed over no later wait is given", async (t) => {
  const phone = await lease(t);
  await deliver(phone.number, "Your code is 111111", "+44 7700 900123");
  await deliver(phone.number, "Your code is 999999", "Other");
  const mark = await phone.mark();
  await deliver(phone.number, "Your code is 222222", "+447700900123");
  assert.equal(await phone.waitForCode({ after: mark, sender: "00447700900123" }), "222222");
  assert.equal(await phone.waitForCode(), "999999");
  await assert.rejects(phone.waitForCode({ timeout: 0 }), /passed over the text from '\+44 7700 900123' for a newer one/);
});

test("the newest is returned once it is quiet, and an older one not after it", async (t) => {
  const phone = await lease(t);
  for (const code of ["111111", "222222"]) await deliver(phone.number, `Your code is ${code}`);
  await deliver(phone.number, "without");
  assert.equal(await phone.waitForCode({ newest: true, quiet: 0 }), "222222");
  await assert.rejects(phone.waitForCode({ newest: true, quiet: 0, timeout: 0 }), /returned a newer text|passed over/);
});

test("all that a line received since the lease began is listed, oldest first", async (t) => {
  const phone = await lease(t);
  await deliver(phone.number, "one");
  await deliver(phone.number, "two");
  const messages = await phone.messages();
  assert.deepEqual(messages.map(({ text, lease: id }) => [text, id]), [["one", phone.id], ["two", phone.id]]);
});

test("without a lease one waits behind a mark", async () => {
  const line = await newLine();
  const after = await sms.mark();
  await deliver(line, "Your code is 482913 https://app.example/");
  assert.equal(await sms.waitForCode({ line, after }), "482913");
  assert.equal(await sms.waitForLink({ line, after }), "https://app.example/");
  assert.equal((await sms.waitForMessage({ line, after, sender: null })).line, line);
  assert.deepEqual((await sms.messages({ line, limit: 1 })).map((each) => each.code), ["482913"]);
  assert.ok((await sms.lines()).some(({ number }) => number === line));
});

test("a line is leased once, and who asks in vain is told who has it", async (t) => {
  const line = await newLine();
  const phone = await sms.lease({ line, holder: "the first test" });
  t.after(() => phone.release());
  assert.ok(phone.expiresAt > new Date());
  await assert.rejects(sms.lease({ line, wait: 0 }), (error) => {
    assert.ok(error instanceof NoFreeLine);
    assert.match(error.message, /leased to 'the first test' until/);
    assert.equal(error.details.holders[0].holder, "the first test");
    return true;
  });
  await phone.extend(900);
  const again = await sms.leased(phone.id);
  assert.equal(again.expiresAt.getTime(), phone.expiresAt.getTime());
  await again.release();
  await phone.release();
  await assert.rejects(phone.waitForCode({ timeout: 60 }), LeaseEnded);
});

test("a line that becomes free is given to who waits, and to nobody who left the queue", async () => {
  const line = await newLine();
  const phone = await sms.lease({ line });
  const leaving = new AbortController();
  const left = sms.lease({ line, wait: Number.POSITIVE_INFINITY, signal: leaving.signal });
  await until(async () => (await ahead(line)) === 1);
  leaving.abort(new Error("the test is over"));
  await assert.rejects(left, /the test is over/);
  assert.equal(await ahead(line), 0);
  const next = sms.lease({ line, wait: 600 });
  await until(async () => (await ahead(line)) === 1);
  await phone.release();
  await (await next).release();
});

/** Return how many wait for a line. */
async function ahead(line) {
  return sms.lease({ line, wait: 0 }).then(
    () => assert.fail("nobody has it"),
    (error) => error.details.ahead,
  );
}

test("a block releases its line also when it fails", async () => {
  const line = await newLine();
  assert.equal(await sms.withLine({ line }, (phone) => phone.number), line);
  const failing = sms.withLine({ line }, () => {
    throw new Error("as intended");
  });
  await assert.rejects(failing, /as intended/);
  await sms.withLine({ line, wait: 0 }, () => {});
});

test("two users have a line each, leased and released together", async () => {
  const lines = await sms.lease({ count: 2, ttl: 60 });
  const [alice, bob] = lines;
  assert.notEqual(alice.number, bob.number);
  await deliver(bob.number, "Your code is 222222");
  assert.equal(await bob.waitForCode(), "222222");
  await lines.extend(600);
  assert.equal(alice.expiresAt.getTime(), bob.expiresAt.getTime());
  await lines.release();
  await assert.rejects(bob.waitForCode(), LeaseEnded);
  await assert.rejects(sms.lease({ count: 99 }), BadRequest);
});

test("a wait that is aborted ends with the signal's reason, and one whose test is reported with its explanation", async (t) => {
  const phone = await lease(t);
  const aborting = new AbortController();
  const aborted = phone.waitForCode({ timeout: Number.POSITIVE_INFINITY, signal: aborting.signal });
  const struck = phone.waitForCode({ timeout: 3600, sender: "Authy" });
  await deliver(phone.number, "Your parcel\u202e", "Post");
  await until(async () => (await phone.messages()).length > 0);
  aborting.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  const explained = assert.rejects(struck, /^NoMessage: No message matched in .* s: 1 came to .*'Post' is not 'Authy'/);
  const { why, texts } = await phone.report();
  await explained;
  const [second, third] = texts.split("\n");
  assert.match(why, /^No message matched in .*'Post' is not 'Authy'/);
  assert.match(second, /^\+44\d+ received 1 text: *$/);
  assert.match(third, /^\d{4}-.*Z {2}Post {2}no code {2}"Your parcel\\u202e"$/);
});

test("what is no time in seconds, no text or unknown is refused by name", async (t) => {
  const phone = await lease(t);
  await assert.rejects(phone.waitForCode({ timeout: 60_000 }), /timeout = 60000 is not accepted: give seconds/);
  await assert.rejects(phone.waitForCode({ timeout: "60" }), BadRequest);
  await assert.rejects(phone.waitForCode({ timout: 1 }), /timout/);
  await assert.rejects(phone.waitForCode({ after: "" }), /after is empty/);
  await assert.rejects(phone.waitForCode({ sender: 7 }), /sender = 7 is not accepted: give text/);
  await assert.rejects(phone.waitForCode({ codePattern: "(" }), /codePattern = \( is no regular expression/);
  await assert.rejects(phone.waitForCode({ quiet: 1 }), /quiet is for a wait with newest: true/);
  await assert.rejects(sms.lease({ label: "" }), /label is empty/);
  await assert.rejects(sms.lease({ ttl: 120_000 }), /ttl = 120000 is not accepted/);
  await assert.rejects(sms.lease({ ttle: 1 }), /lease takes no option ttle/);
});

test("a wrong key or address is told at once, and no password is quoted", async () => {
  await assert.rejects(new SmsCatch(URL_, "a-key-that-is-none").lease({ wait: 600 }), Unauthorized);
  assert.throws(() => new SmsCatch("pi.local", "key"), BadSetting);
  assert.throws(() => new SmsCatch("http://me:pass@pi.local", "key"), (error) => !error.message.includes("pass@"));
  assert.throws(() => new SmsCatch({ url: URL_, key: "a key" }), BadSetting);
  await assert.rejects(new SmsCatch("http://127.0.0.1:1", KEY).lines(), (error) => {
    assert.ok(error instanceof CannotReach && error.code === "cannot_reach");
    return /^The server at http:\/\/127\.0\.0\.1:1 does not answer \(.+\)\. Does it run/.test(error.message);
  });
});

test("a server that is another program is told from ours", async (t) => {
  const other = createServer((_, answer) => answer.end("<h1>Welcome</h1>")).listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  const client = new SmsCatch(`http://127.0.0.1:${other.address().port}/`, KEY);
  await assert.rejects(client.lines(), /answered what is not in our form: is that a smscatch server\?/);
  await assert.rejects(client.mark(), /answered no cursor: is that a smscatch server\?/);
  await assert.rejects(client.events({ after: "0" }).next(), /answered no stream of events/);
});

test("texts that come while connections are cut are found once each, in their order", async (t) => {
  const [client, proxy] = await behindProxy(t);
  const phone = await lease(t, client);
  const found = [];
  for (let n = 0; n < 5; n += 1) {
    const waiting = phone.waitForMessage();
    await until(() => proxy.requests.filter((line) => line.includes("/next?")).length > n);
    proxy.cut();
    await deliver(phone.number, `number ${n}`);
    found.push((await waiting).text);
  }
  assert.deepEqual(found, ["number 0", "number 1", "number 2", "number 3", "number 4"]);
});

test("a text that came before the first request could be sent is found by a wait without a lease", async (t) => {
  const line = await newLine();
  const [client, proxy] = await behindProxy(t);
  proxy.loseAnswerTo("GET /api/v1/cursor");
  // The start is told by the clock of the server, so the text that made the line may be behind it: this one is named.
  const waiting = client.waitForMessage({ line, contains: "mean" });
  await until(() => proxy.requests.length > 0);
  await deliver(line, "meanwhile");
  assert.match((await waiting).text, /meanwhile/);
});

test("a lease whose answer is lost is not leased twice", async (t) => {
  const line = await newLine();
  const [client, proxy] = await behindProxy(t);
  proxy.loseAnswerTo("POST /api/v1/leases ");
  const phone = await client.lease({ line });
  t.after(async () => (await sms.leased(phone.id)).release());
  const held = (await sms.leases()).filter((each) => each.line === line);
  assert.deepEqual(held.map(({ id }) => id), [phone.id]);
  assert.equal(proxy.requests.filter((request) => request.startsWith("POST")).length, 2);
});

test("a message whose answer is lost is returned by the same wait", async (t) => {
  const [client, proxy] = await behindProxy(t);
  const phone = await lease(t, client);
  await deliver(phone.number, "Your code is 482913");
  proxy.loseAnswerTo(`GET /api/v1/leases/${phone.id}/next`);
  assert.equal(await phone.waitForCode(), "482913");
});

test("a release whose answer is lost is no error", async (t) => {
  const [client, proxy] = await behindProxy(t);
  const phone = await client.lease({ line: await newLine() });
  proxy.loseAnswerTo("DELETE");
  await phone.release();
});

test("a stream of events goes on behind the last one when it is cut, and ends when it is aborted", async (t) => {
  const line = await newLine();
  const [client, proxy] = await behindProxy(t);
  const ending = new AbortController();
  const events = client.events({ line, signal: ending.signal });
  const first = events.next();
  await until(() => proxy.requests.some((request) => request.includes("/events?")));
  const texts = ["eins", "zwei\u2028 drei\r\n\r\nvier \ud83d\ude00", "fünf"];
  await deliver(line, texts[0]);
  const found = [(await first).value.text];
  proxy.cut();
  for (const text of texts.slice(1)) await deliver(line, text);
  for (let n = 0; n < 2; n += 1) found.push((await events.next()).value.text);
  assert.deepEqual(found, texts);
  const last = assert.rejects(events.next(), /done with it/);
  ending.abort(new Error("done with it"));
  await last;
});

test("a secret has the codes of RFC 6238, and one about to end is not given but the next", async (t) => {
  const client = new SmsCatch("http://127.0.0.1:1", KEY);
  // Appendix B: "12345678901234567890", and as many bytes of it as the digest has.
  const base32 = (size) => {
    const bits = [..."1234567890".repeat(7).slice(0, size)].map((each) => each.charCodeAt(0).toString(2).padStart(8, "0"));
    const fives = bits.join("").match(/.{1,5}/g).map((five) => Number.parseInt(five.padEnd(5, "0"), 2));
    return fives.map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[five]).join("");
  };
  const secret = base32(20);
  const uri = (size, more) => `otpauth://totp/Example:a%40b?secret=${base32(size)}&issuer=Example${more}`;
  let now = 1111111109;
  t.mock.method(Date, "now", () => 1000 * now);
  const codes = [];
  for (const [size, name] of [[20, "SHA1"], [32, "SHA256"], [64, "SHA512"]]) {
    codes.push(await client.totp(uri(size, `&algorithm=${name}&digits=8`), { left: 0 }));
  }
  assert.deepEqual(codes, ["07081804", "68084774", "25091201"]);
  for (const written of [secret, secret.toLowerCase(), `${secret.slice(0, 4)} ${secret.slice(4)} ==\n`, uri(20, "&digits=6&period=30")]) {
    assert.equal(await client.totp(written, { left: 0 }), "081804");
  }
  now = 59.99; // 287082, whose time is over when the next wait wakes
  const waiting = client.totp(secret);
  now = 60;
  assert.equal(await waiting, "359152");
  for (const none of ["", "GEZDGNB1", "otpauth://hotp/x?secret=GEZDGNBV", "otpauth://totp/x?secret=GEZDGNBV&digits=11", uri(20, "&algorithm=MD5")]) {
    await assert.rejects(client.totp(none), (error) => error instanceof BadRequest && !error.message.includes("GEZD"));
  }
  await assert.rejects(client.totp(secret, { left: 16 }), /left = 16 is not accepted/);
});

test("it is a CommonJS module too, with the same names", () => {
  const required = createRequire(import.meta.url)("smscatch");
  assert.deepEqual(Object.keys(required).sort(), Object.keys(smscatch).sort());
});
