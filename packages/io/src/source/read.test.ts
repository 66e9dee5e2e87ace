import { createHash } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { NNError } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { sha256 } from "./checksum.js";
import type { ReadProgress } from "./collect.js";
import { readBytes } from "./read.js";

const content = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
const digest = createHash("sha256").update(content).digest("hex");

const answers: Record<string, RequestListener> = {
  "/file": (_, response) => response.setHeader("content-length", content.length).end(content),
  "/chunked": (_, response) => {
    response.write(content.subarray(0, 10));
    response.end(content.subarray(10));
  },
  "/broken": (_, response) => {
    response.setHeader("content-length", content.length);
    response.write(content.subarray(0, 1000), () => response.destroy());
  },
  "/stalled": (_, response) => response.write(content.subarray(0, 1000)),
  "/empty": (_, response) => response.writeHead(204).end(),
  "/private": (request, response) => response.writeHead(request.headers.authorization ? 200 : 401).end("ok"),
};
const server = createServer((request, response) => {
  const answer = answers[request.url!];
  if (answer) answer(request, response);
  else response.writeHead(404).end();
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.closeAllConnections());

describe("from a URL", () => {
  test("as text, as URL and as a response", async () => {
    expect(await readBytes(`${url}/file`)).toEqual(content);
    expect(await readBytes(new URL(`${url}/chunked`))).toEqual(content);
    expect(await readBytes(await fetch(`${url}/file`))).toEqual(content);
    expect(await readBytes("data:,abc")).toEqual(Uint8Array.of(97, 98, 99));
    expect(await readBytes(`${url}/empty`)).toEqual(new Uint8Array());
  });

  test("progress", async () => {
    const seen: ReadProgress[] = [];
    await readBytes(`${url}/file`, { onProgress: (progress) => seen.push(progress) });
    expect(seen[0]).toEqual({ loaded: 0, total: content.length });
    expect(seen.at(-1)).toEqual({ loaded: content.length, total: content.length });
    expect(seen.map(({ loaded }) => loaded)).toEqual(seen.map(({ loaded }) => loaded).sort((a, b) => a - b));
    seen.length = 0;
    await readBytes(`${url}/chunked`, { onProgress: (progress) => seen.push(progress) });
    expect(new Set(seen.map(({ total }) => total))).toEqual(new Set([undefined]));
  });

  test("a declared size that is too small is not shown", async () => {
    const seen: ReadProgress[] = [];
    const response = new Response(content, { headers: { "content-length": "10" } });
    expect(await readBytes(response, { onProgress: (progress) => seen.push(progress) })).toEqual(content);
    expect(seen.at(-1)).toEqual({ loaded: content.length, total: undefined });
    const zipped = new Response(content, { headers: { "content-length": "10", "content-encoding": "br" } });
    await readBytes(zipped, { onProgress: ({ total }) => expect(total).toBeUndefined() });
    // Nor does one that is huge take memory.
    expect(await readBytes(new Response(content, { headers: { "content-length": "1e15" } }))).toEqual(content);
  });

  test("request options", async () => {
    await expect(readBytes(`${url}/private`)).rejects.toThrow(/readBytes: expected .*private to be there, got 401/);
    const request = { headers: { authorization: "Bearer x" } };
    expect(new TextDecoder().decode(await readBytes(`${url}/private`, { request }))).toBe("ok");
  });

  test.each([
    ["/nothing", /expected http.*\/nothing to be there, got 404 Not Found\. Check the URL/],
    ["/broken", /expected all bytes of http.*\/broken, got terminated/],
  ])("%s", async (path, message) => {
    await expect(readBytes(url + path)).rejects.toThrow(message);
    await expect(readBytes(url + path)).rejects.toBeInstanceOf(NNError);
  });

  test("no server, no URL, a response twice", async () => {
    await expect(readBytes("http://127.0.0.1:1/x")).rejects.toThrow(/all bytes of http:\/\/127.0.0.1:1\/x, got/);
    await expect(readBytes("model.npz")).rejects.toThrow(/all bytes of model.npz.*a path is for readPath/);
    const response = await fetch(`${url}/file`);
    await readBytes(response);
    await expect(readBytes(response)).rejects.toThrow(/a response that was read before/);
  });

  test("abort", async () => {
    await expect(readBytes(`${url}/file`, { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
    const controller = new AbortController();
    const onProgress = ({ loaded }: ReadProgress) => loaded > 0 && controller.abort();
    const reading = readBytes(`${url}/stalled`, { signal: controller.signal, onProgress });
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
  });

  test("an error of the progress handler is the reader's own", async () => {
    const onProgress = () => {
      throw new TypeError("mine");
    };
    await expect(readBytes(`${url}/file`, { onProgress })).rejects.toThrow(/^mine$/);
  });
});

test("from a Blob, a File, a handle and bytes", async () => {
  expect(await readBytes(new Blob([content]))).toEqual(content);
  const file = new File([content], "x.npz");
  expect(await readBytes(file)).toEqual(content);
  expect(await readBytes({ getFile: async () => file })).toEqual(content);
  expect(await readBytes(content)).toEqual(content);
  expect(await readBytes(content.buffer)).toEqual(content);
  const seen: ReadProgress[] = [];
  await readBytes(file, { onProgress: (progress) => seen.push(progress) });
  expect(seen.at(-1)).toEqual({ loaded: content.length, total: content.length });
  await expect(readBytes(null as never)).rejects.toThrow(/a URL, Response, Blob.*got null/);
  await expect(readBytes({} as never)).rejects.toThrow(/got Object/);
});

describe("SHA-256", () => {
  test("right and wrong", async () => {
    expect(await sha256(content)).toBe(digest);
    expect(await readBytes(`${url}/file`, { sha256: digest.toUpperCase() })).toEqual(content);
    const other = "0".repeat(64);
    const message = new RegExp(`file to have SHA-256 ${other}, got ${digest}, of 300000 bytes`);
    await expect(readBytes(`${url}/file`, { sha256: other })).rejects.toThrow(message);
    await expect(readBytes(new File([content], "x"), { sha256: other })).rejects.toThrow(/file "x" to have/);
    await expect(readBytes(content, { sha256: "abc" })).rejects.toThrow(/64 hexadecimal digits, got "abc"/);
  });

  test("where the page has none", async () => {
    vi.stubGlobal("crypto", {});
    await expect(readBytes(content, { sha256: digest })).rejects.toThrow(/crypto.subtle, got none.*https/);
    vi.unstubAllGlobals();
  });
});
