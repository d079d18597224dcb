/** Cypress: tasks that speak to smscatch from Node, and commands that call them from the browser. */
import { type LeasedLine, type LeaseOptions, type LeasedOptions, SmsCatch } from "smscatch";

/** A line as a test knows it. */
export interface SmsLine {
  id: string;
  number: string;
}

type Read = "Code" | "Link" | "Message";

/** What `cy.smsCode` and its like take: a wait, without what cannot be sent to Node; patterns as text. */
type ReadOptions = Omit<LeasedOptions, "signal"> & { codePattern?: string; linkPattern?: string };

interface Asked {
  id: string;
  options: ReadOptions;
}

// cy.task ends after taskTimeout, 60 s by default: its own time must be the longer one, or nobody is told why.
const SLACK_SECONDS = 20;
const TIMEOUT_SECONDS = 60;
const RELEASE_SECONDS = 30;

/** The tasks, for `on("task", smsTasks())` in setupNodeEvents; `sms` says which server. */
export function smsTasks(sms = new SmsCatch()): Record<string, (asked: never) => Promise<unknown>> {
  const phones = new Map<string, LeasedLine>();
  const phoneOf = (id: string): LeasedLine => {
    const phone = phones.get(id);
    if (!phone) throw new Error("smscatch: no line is leased. Call cy.smsLine() first, in each test.");
    return phone;
  };
  return {
    async "smscatch:lease"(options: LeaseOptions): Promise<SmsLine> {
      const phone = await sms.lease(options);
      phones.set(phone.id, phone);
      return { id: phone.id, number: phone.number };
    },
    "smscatch:Code": ({ id, options }: Asked) => phoneOf(id).waitForCode(options),
    "smscatch:Link": ({ id, options }: Asked) => phoneOf(id).waitForLink(options),
    "smscatch:Message": ({ id, options }: Asked) => phoneOf(id).waitForMessage(options),
    /** Release lines; of a test that failed, say what they received. */
    async "smscatch:release"({ ids, failed }: { ids: string[]; failed: boolean }): Promise<null> {
      for (const id of ids) {
        const phone = phoneOf(id);
        phones.delete(id);
        const { why, texts } = failed ? await phone.report() : { why: "", texts: "" };
        if (failed) console.error(["smscatch:", why, texts].filter(Boolean).join("\n"));
        await phone.release();
      }
      return null;
    },
  };
}

/** What we use of Cypress in the browser; its own types have far more. */
interface Browser {
  Cypress: {
    Commands: { add(name: string, run: (...given: never[]) => unknown): void };
    currentTest: { titlePath: string[] };
  };
  cy: { task(name: string, asked: unknown, options: { timeout: number; log?: boolean }): Then };
  afterEach(run: (this: { currentTest?: { state?: string } }) => unknown): void;
}

interface Then {
  then(run: (value: SmsLine) => unknown): unknown;
}

/** Add `cy.smsLine()`, `cy.smsCode()`, `cy.smsLink()` and `cy.smsMessage()`; for the support file. */
export function addSmsCommands(): void {
  const { Cypress, cy, afterEach } = globalThis as unknown as Browser;
  let lines: SmsLine[] = [];
  const task = (name: string, asked: unknown, seconds: number) =>
    cy.task(`smscatch:${name}`, asked, { timeout: 1000 * (seconds + SLACK_SECONDS) });

  Cypress.Commands.add("smsLine", (options: LeaseOptions = {}) => {
    const asked = { holder: Cypress.currentTest.titlePath.join(" › "), ...options };
    return task("lease", asked, options.wait ?? TIMEOUT_SECONDS).then((line) => {
      lines.push(line);
      return line;
    });
  });
  for (const what of ["Code", "Link", "Message"] satisfies Read[]) {
    Cypress.Commands.add(`sms${what}`, ({ line, ...options }: ReadOptions & { line?: SmsLine } = {}) =>
      task(what, { id: (line ?? lines.at(-1))?.id ?? "", options }, options.timeout ?? TIMEOUT_SECONDS),
    );
  }
  afterEach(function () {
    const ids = lines.map(({ id }) => id);
    lines = [];
    return ids.length ? task("release", { ids, failed: this.currentTest?.state === "failed" }, RELEASE_SECONDS) : undefined;
  });
}
