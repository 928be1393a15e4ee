import { timed } from "./record.mjs";
import { sleep } from "./stage.mjs";
import { reapMs, request } from "./wiring.mjs";

/** Attach by container name against attach by namespace plus one raw inspect of the same engine. */
export async function nameSection({ pw, record, engine }, { blocks, warmBlocks = 1 }) {
  const { containers } = engine;
  const pairs = Math.floor(containers.length / 2);
  for (let block = -warmBlocks; block < blocks; block++) {
    const keep = (row, us) => {
      if (block >= 0) record.add(row, us);
    };
    const attached = [];
    for (let pair = 0; pair < pairs; pair++) {
      const swap = block & 1;
      const [one, two] = [containers[2 * pair + (swap ? 0 : 1)], containers[2 * pair + (swap ? 1 : 0)]];
      const reference = `netns:/proc/${one.pid}/ns/net`;
      attached.push(reference, two.name);
      const byNamespace = async () => {
        const inspect = await timed(() => engine.inspect(one.name));
        const attach = await timed(() => pw.attach(request(reference, 2 * pair + 100)));
        keep("engine.inspect", inspect);
        keep("name.namespace", attach);
        keep("name.sum", inspect + attach);
      };
      const byName = async () => keep("name.name", await timed(() => pw.attach(request(two.name, 2 * pair + 101))));
      for (const attach of ((block >> 1) + pair) % 2 === 0 ? [byNamespace, byName] : [byName, byNamespace])
        await attach();
    }
    await Promise.all(attached.map((guest) => pw.detach({ guest, ifname: "eth1" })));
    await sleep(2 * reapMs);
  }
}
