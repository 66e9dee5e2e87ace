import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../paths.js";
import { findPeersDir } from "./peers.js";

it("finds the peers' folder by option, environment or where it usually is", () => {
  const here = mkdtempSync(join(tmpdir(), "nn-peers-"));
  try {
    expect(findPeersDir(here, {})).toEqual({ missing: here });
    writeFileSync(join(here, "run"), "");
    expect(findPeersDir(here, { NN_PEERS_DIR: "/elsewhere" })).toEqual({ dir: here });
    expect(findPeersDir(null, { NN_PEERS_DIR: here })).toEqual({ dir: here });
    expect(findPeersDir(null, { NN_SHARED: "/elsewhere" })).toEqual({ missing: "/elsewhere/peers" });
    expect(Object.values(findPeersDir(null, {}))).toEqual([join(ROOT, "../shared/peers")]);
  } finally {
    rmSync(here, { recursive: true });
  }
});
