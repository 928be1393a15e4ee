import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const root = dirname(dirname(import.meta.dirname));

/** A file goes on knowing where it lies when its text stands elsewhere. */
const ownPlace = {
  name: "own-place",
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => {
      if (path.includes("/node_modules/")) return undefined;
      const contents = readFileSync(path, "utf8")
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
        .replaceAll("import.meta.url", JSON.stringify(`file://${path}`));
      return { contents, loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};

/** One file of tests with all that it imports, to be run by Node alone. */
export class Bundle {
  #map;

  /** @param file relative to the project. @param folder where the bundle goes, below the project. */
  constructor(file, folder) {
    this.file = file;
    this.name = `${file.replaceAll("/", "-").replace(/\.ts$/, "")}.mjs`;
    this.path = join(folder, this.name);
    this.result = join(folder, this.name.replace(/\.mjs$/, ".json"));
  }

  async write() {
    const at = (path) => JSON.stringify(join(root, path));
    await build({
      stdin: {
        contents: `
          import { runFile } from ${at("scripts/vm/inside/file.mjs")};
          await runFile(${JSON.stringify(this.file)}, () => import(${at(this.file)}), ${JSON.stringify(this.result)});`,
        resolveDir: root,
      },
      outfile: this.path,
      alias: { vitest: join(root, "scripts/vm/inside/vitest.mjs") },
      // Has a program of its own, which it looks for beside itself.
      external: ["esbuild"],
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "external",
      plugins: [ownPlace],
      logLevel: "error",
    });
  }

  /** A line of output with places in this bundle replaced by those in the sources. */
  explained(line) {
    if (!line.includes(this.path)) return line;
    return line.replaceAll(new RegExp(`(?:file://)?${this.path}:(\\d+):(\\d+)`, "g"), (place, row, column) => {
      this.#map ??= new SourceMap(JSON.parse(readFileSync(`${this.path}.map`, "utf8")));
      const { originalSource, originalLine, originalColumn } = this.#map.findEntry(Number(row) - 1, Number(column) - 1);
      if (originalSource === undefined) return place;
      const source = join(dirname(this.path), originalSource).slice(root.length + 1);
      return `${source}:${originalLine + 1}:${originalColumn + 1}`;
    });
  }
}
