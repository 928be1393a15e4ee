// Checks the arrows between the rooms of src/ (ARCHITECTURE): imports go down only, the pure rooms import nothing that
// does input or output, and only src/kernel/ (with the instance that owns it) touches the addon. Type imports count too.
//   node scripts/check-rooms.mjs
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Rooms from the top down; those on one line are neighbours that do not know each other. Of the files directly in src/,
 * the class and the package's entry are the room "pipework", and the deeds it is made of are the room "deeds".
 */
export const FLOORS = [
  ["cli", "daemon"],
  ["demo"],
  ["pipework"],
  ["doctor"],
  ["deeds"],
  ["guests", "dhcp", "ovsdb"],
  ["kernel"],
  ["plan"],
  ["iproute"],
  ["netlink"],
  ["values"],
];
const FACADE = new Set(["index.ts", "pipework.ts"]);

/** No I/O, no clock, no randomness: the same words always give the same result. */
export const PURE = new Set(["plan", "iproute", "netlink", "values"]);

/** The addon's surface as types alone; the guests hold its namespace handles. */
const NATIVE_TYPES = "src/kernel/native.ts";
const ADDON = "src/kernel/addon.ts";

/** What a pure room may not name: clocks, randomness, the process around it. */
const IMPURE = [
  [/\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/, "asks the clock"],
  [/\bperformance\.(now|timeOrigin)\b/, "asks the clock"],
  [/\b(setTimeout|setInterval|setImmediate)\s*\(/, "waits"],
  [/\bMath\.random\b|\bcrypto\.(getRandomValues|randomUUID)\b/, "draws at random"],
  [/\bprocess\.[a-z]/, "looks at the process"],
  [/\bfetch\s*\(/, "goes to the network"],
];

/** The room of a file given relative to the project, with forward slashes. */
export function roomOf(file) {
  const parts = file.split("/");
  if (parts[0] !== "src" || parts.length < 2) return undefined;
  if (parts.length > 2) return parts[1];
  return FACADE.has(parts[1]) ? "pipework" : "deeds";
}

/** A specifier as the file it names. */
function resolved(file, specifier) {
  const target = normalize(join(dirname(file), specifier))
    .split(sep)
    .join("/");
  return target.replace(/\.js$/, ".ts");
}

/** Comments become blanks, so that line numbers stay; strings stay, because imports are in them. */
export function withoutComments(text) {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (found) => (found.startsWith("/") ? found.replace(/[^\n]/g, " ") : found));
}

const IMPORT =
  /\b(?:import|export)\b(?:\s+type\b)?[^"';]*?\bfrom\s*["']([^"']+)["']|\bimport\s*["']([^"']+)["']|\b(?:import|require)\s*\(\s*["']([^"']+)["']\s*\)/g;

/** Every module that a text imports, with the line it stands in. */
export function importsOf(text) {
  const bare = withoutComments(text);
  return [...bare.matchAll(IMPORT)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3];
    const at = match.index + match[0].lastIndexOf(specifier);
    return { specifier, line: bare.slice(0, at).split("\n").length };
  });
}

function floor(room) {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

/** Why this import is wrong, or undefined. */
function wrongImport(file, specifier) {
  const room = roomOf(file);
  if (!specifier.startsWith(".")) {
    if (!PURE.has(room)) return undefined;
    return `the room ${room} is pure and imports no "${specifier}"`;
  }
  const target = resolved(file, specifier);
  const to = roomOf(target);
  if (to === undefined) return `src/ imports nothing from outside itself, such as ${target}`;
  if (target === ADDON && room !== "kernel") return "only src/kernel/ imports the addon";
  if (to === room) return undefined;
  if (floor(to) < 0) return `${to} is no room; add it to the list in scripts/check-rooms.mjs`;
  if (target === NATIVE_TYPES && floor(room) < floor("kernel")) return undefined;
  if (floor(to) > floor(room)) return undefined;
  return floor(to) === floor(room)
    ? `the rooms ${room} and ${to} do not know each other`
    : `arrows go down only, and ${room} lies below ${to}`;
}

/**
 * Breaches of the rules in the files, given as pairs of path (relative, forward slashes) and text.
 * @returns {{file: string, line: number, rule: string}[]}
 */
export function breaches(files) {
  const found = [];
  for (const [file, text] of files) {
    const room = roomOf(file);
    if (floor(room) < 0) {
      found.push({ file, line: 1, rule: `${room} is no room; add it to the list in scripts/check-rooms.mjs` });
      continue;
    }
    for (const { specifier, line } of importsOf(text)) {
      const rule = wrongImport(file, specifier);
      if (rule !== undefined) found.push({ file, line, rule });
    }
    if (!PURE.has(room)) continue;
    const lines = withoutComments(text).split("\n");
    lines.forEach((words, i) => {
      const bare = words.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, '""');
      for (const [pattern, what] of IMPURE)
        if (pattern.test(bare)) found.push({ file, line: i + 1, rule: `the room ${room} is pure, and this ${what}` });
    });
  }
  return found;
}

function filesBelow(directory) {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) return filesBelow(path);
    return /\.[cm]?tsx?$/.test(name) ? [path] : [];
  });
}

function main() {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const files = filesBelow(join(root, "src")).map((path) => [
    relative(root, path).split(sep).join("/"),
    readFileSync(path, "utf8"),
  ]);
  const found = breaches(files);
  for (const { file, line, rule } of found) console.error(`${file}:${line}: ${rule}`);
  console.log(`${files.length} files in their rooms, ${found.length} breaches`);
  process.exitCode = found.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
