import { run } from "./run.js";
import { systemPort } from "./system-port.js";

// All output is written by now; waiting for idle connections and threads would only cost time.
void run(process.argv.slice(2), systemPort).then((code) => process.exit(code));
