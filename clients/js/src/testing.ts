/** node:test, Vitest, Jest, Mocha: a number of its own for each test, and what it received in the error of one that fails. */
import { type LeasedLine, type LeaseOptions, SmsCatch } from "smscatch";

/** What a test runner hands to a test, as far as we know it: node:test's context has a name, Vitest's a task. */
interface Context {
  name?: unknown;
  task?: { name?: unknown };
}

/**
 * Return a test function that has a line of its own: `test("sign up", withSmsLine(async (phone) => { … }))`.
 *
 * `use` gets the line, and then whatever the test runner hands to a test. The line is leased for the test and released
 * after it. The error of a test that fails also says which texts came. `sms` says which server, if not that of
 * SMSCATCH_URL and SMSCATCH_KEY.
 */
export function withSmsLine<A extends unknown[]>(
  use: (phone: LeasedLine, ...given: A) => unknown,
  { sms, ...options }: LeaseOptions & { sms?: SmsCatch } = {},
): (...given: A) => Promise<void> {
  // No parameter of its own: Jest and Mocha take a test function that has one for one that calls back.
  return async (...given) => {
    const holder = nameOf(given[0]);
    await (sms ?? new SmsCatch()).withLine({ ...(holder && { holder }), ...options }, async (phone) => {
      try {
        await use(phone, ...given);
      } catch (error) {
        const { why, texts } = await phone.report();
        throw told(error, [why, texts]);
      }
    });
  };
}

/** Return an error that says more, and the same error if it can. */
function told(error: unknown, more: string[]): unknown {
  if (!(error instanceof Error)) return error;
  const { message, stack } = error;
  const added = more.filter((each) => each && !message.includes(each)).join("\n");
  error.message = `${message}\n\nsmscatch: ${added}`;
  // A stack begins with the message as it was when the error was made.
  if (stack) error.stack = stack.includes(message) ? stack.replace(message, () => error.message) : `${error.message}\n${stack}`;
  return error;
}

function nameOf(context: unknown): string | undefined {
  const { name, task } = (context ?? {}) as Context;
  const found = task?.name ?? name;
  return typeof found === "string" ? found : undefined;
}
