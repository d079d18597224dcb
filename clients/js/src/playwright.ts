/** Playwright: a number of its own for each test, and what it received in the report of a test that failed. */
import { hostname } from "node:os";
import { type TestInfo, test as base } from "@playwright/test";
import { type LeasedLine, type LeasedLines, SmsCatch } from "smscatch";

export { expect } from "@playwright/test";

/** What a project, a file or a test may set with `use`. */
export interface SmsOptions {
  /** Which lines the tests take; any, if not given. */
  smsLabel: string | undefined;
  /** Seconds that a test has its line at most. */
  smsTtl: number;
  /** Seconds that a test waits for a free line; they are no part of its timeout. */
  smsWait: number;
  /** How many lines `smsLines` are. */
  smsCount: number;
}

/** What a test may ask for. */
export interface SmsFixtures {
  /** A line that is this test's alone until it ends: no other test gets its texts, nor it theirs. */
  smsLine: LeasedLine;
  /** Several such lines, leased at once, for a test with several users: `const [alice, bob] = smsLines`. */
  smsLines: LeasedLines;
}

/** What the tests of a worker share. */
export interface SmsWorkerFixtures {
  /** The server, found by SMSCATCH_URL and SMSCATCH_KEY. Extend it to reach it in another way. */
  sms: SmsCatch;
}

// A fixture with a time limit of its own, here none, takes nothing of the test's.
// https://playwright.dev/docs/test-timeouts#fixture-timeout
const UNTIMED = { timeout: 0 };

/** Playwright's `test` with `smsLine`, `smsLines` and `sms`. */
export const test = base.extend<SmsFixtures & SmsOptions, SmsWorkerFixtures>({
  smsLabel: [undefined, { option: true }],
  smsTtl: [120, { option: true }],
  smsWait: [300, { option: true }],
  smsCount: [2, { option: true }],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from it that nothing is asked for
  sms: [({}, use) => use(new SmsCatch()), { scope: "worker" }],
  smsLine: [
    async ({ sms, smsLabel: label, smsTtl: ttl, smsWait: wait }, use, info) => {
      const phone = await sms.lease({ label, ttl, wait, holder: holder(info) });
      await use(phone);
      await end(phone, [phone], info);
    },
    UNTIMED,
  ],
  smsLines: [
    async ({ sms, smsLabel: label, smsTtl: ttl, smsWait: wait, smsCount: count }, use, info) => {
      const lines = await sms.lease({ label, ttl, wait, count, holder: holder(info) });
      await use(lines);
      await end(lines, lines.phones, info);
    },
    UNTIMED,
  ],
});

/** Attach to the report of a test that failed what its lines received, and release them. */
async function end(leased: { release(): Promise<void> }, phones: readonly LeasedLine[], info: TestInfo): Promise<void> {
  if (info.status !== info.expectedStatus) {
    for (const phone of phones) {
      const { why, texts } = await phone.report();
      for (const body of [why, texts]) {
        if (body) await info.attach("smscatch", { body, contentType: "text/plain" });
      }
    }
  }
  try {
    await leased.release();
  } catch (error) {
    // A test that passed stays so: it is not the one that went wrong. The lease ends by itself.
    console.warn(`smscatch: ${phones.map(({ number }) => number)} not released: ${(error as Error).message}`);
  }
}

/** Return what others are told who wait for the line: which test has it, and where that runs. */
function holder({ titlePath, workerIndex }: TestInfo): string {
  return `${titlePath.join(" › ")} (worker ${workerIndex} on ${hostname()})`;
}
