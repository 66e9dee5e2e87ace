
import { it } from "vitest";
import { loadFamily } from "../../testing/src/golden/loader.js";
import { compare } from "../../testing/src/golden/rule.js";
import { optim } from "./scratch-family.js";
it.each([false, true])("%s", async (compiled) => {
  const rows: string[] = [];
  for (const c of loadFamily("/work/shared/golden", "optim")) {
    const found = await optim(c, { compiled } as never);
    const worst = Math.max(...found.map((f) => compare(f.got as never, f.want).ratio));
    rows.push(`${worst > 1 ? "BAD " : "ok "} ${c.id} ${worst.toFixed(3)}`);
  }
  console.log(rows.join("\n"));
}, 60000);
