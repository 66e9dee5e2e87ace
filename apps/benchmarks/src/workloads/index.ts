/**
 * All workloads, in the order in which they run. A new one is a line in its group's file; a new group is a file and a
 * line here. Groups are loaded only if they are asked for: the start-up time of infer_cnn_b1 holds nothing else.
 */
import { asksFor } from "../asks-for.js";
import type { BackendName } from "../backend.js";
import type { Workload } from "../workload.js";

interface Group {
  /** With what the names in it begin. */
  readonly beginnings: readonly string[];
  load(): Promise<{ readonly workloads: readonly Workload[] }>;
}

export const groups: readonly Group[] = [
  { beginnings: ["infer_cnn"], load: () => import("./infer-cnn.js") }, // first: it measures the start of the process
  { beginnings: ["fma_peak"], load: () => import("./fma-peak.js") }, // before the products, which are measured by it
  { beginnings: ["gemm_peak"], load: () => import("./gemm-peak.js") },
  { beginnings: ["gemm"], load: () => import("./gemm.js") },
  { beginnings: ["gemv"], load: () => import("./gemv.js") },
  { beginnings: ["conv"], load: () => import("./conv.js") },
  { beginnings: ["rnn", "gru", "lstm"], load: () => import("./recurrent.js") },
  { beginnings: ["eltwise"], load: () => import("./eltwise.js") },
  { beginnings: ["train_mlp"], load: () => import("./train-mlp.js") },
  { beginnings: ["train_cnn"], load: () => import("./train-cnn.js") },
  { beginnings: ["train_resnet"], load: () => import("./train-resnet.js") },
  { beginnings: ["infer_mobilenet"], load: () => import("./infer-mobilenet.js") },
  { beginnings: ["train_lstm", "train_gru"], load: () => import("./train-recurrent.js") },
];

/**
 * The workloads that `--only` asks for; of a backend, those that make sense on it. With a GPU's matrix products comes its
 * peak, by which they are measured.
 */
export async function select(
  only: readonly string[],
  { backend, software = false }: { backend?: BackendName; software?: boolean } = {},
): Promise<Workload[]> {
  if (backend === "webgpu" && only.some((name) => name.startsWith("gemm"))) only = [...only, "fma_peak"];
  const related = (beginning: string) => only.some((o) => o.startsWith(beginning) || beginning.startsWith(o));
  const wanted = groups.filter(({ beginnings }) => only.length === 0 || beginnings.some(related));
  const loaded = await Promise.all(wanted.map((group) => group.load()));
  return loaded
    .flatMap(({ workloads }) => workloads)
    .filter(({ name, backends }) => asksFor(only, name) && (!backend || !backends || backends.includes(backend)))
    .filter(({ name, large }) => !software || !large || only.includes(name));
}
