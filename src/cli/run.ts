import type { CommandPort } from "./command-port.js";
import { asksJson } from "./common-option.js";
import { readWords } from "./dispatch.js";
import { execute } from "./execute.js";
import { Interruption } from "./interruption.js";
import { asPipeworkError, errorJson, errorText, warningText } from "./output.js";

/**
 * One command line, from its words to its exit code: 0 done, 1 refused or failed, 130 or 143 after SIGINT or SIGTERM.
 * Never rejects.
 */
export async function run(words: readonly string[], port: CommandPort): Promise<number> {
  const interruption = new Interruption(port);
  const json = asksJson(words);
  let code: number;
  try {
    code = await execute(await readWords(words, port), port, interruption.signal);
    if (interruption.received !== undefined && !words.includes("--quiet") && !words.includes("-q")) {
      port.err(warningText(`${interruption.received} came when the work had begun, so it was brought to its end`));
    }
  } catch (thrown) {
    const error = asPipeworkError(thrown);
    port.err(json ? errorJson(error) : errorText(error, words.includes("--verbose") || words.includes("-v")));
    code = 1;
  }
  return interruption.exitCode(code);
}
