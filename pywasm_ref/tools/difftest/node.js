// One job of the lab on V8: JSON on standard input, the answer on standard output.
"use strict";

const WIDTHS = { i32: 32n, i64: 64n, f32: 32n, f64: 64n };
const view = new DataView(new ArrayBuffer(8));

function toNumber(type, bits) {
  if (type === "i64") return BigInt.asIntN(64, bits);
  if (type === "i32") return Number(BigInt.asIntN(32, bits));
  if (type === "f32") { view.setUint32(0, Number(bits)); return view.getFloat32(0); }
  if (type === "f64") { view.setBigUint64(0, bits); return view.getFloat64(0); }
  return null;
}

function toBits(type, number) {
  if (type === "i64") return BigInt.asUintN(64, number);
  if (type === "i32") return BigInt.asUintN(32, BigInt(number));
  if (type === "f32") { if (number !== number) return 0x7fc00000n; view.setFloat32(0, number); return BigInt(view.getUint32(0)); }
  if (number !== number) return 0x7ff8000000000000n;
  view.setFloat64(0, number);
  return view.getBigUint64(0);
}

const hex = (bits) => "0x" + bits.toString(16);
const hostNumber = (type, n) => toNumber(type, (BigInt(n) * 0x9e3779b9n + 1n) % (1n << WIDTHS[type]));

function outcome(kind, words = "", values = []) {
  return { kind, words, values };
}

function failure(error) {
  if (error instanceof RangeError) return outcome("exhaustion");
  if (error instanceof WebAssembly.RuntimeError) return outcome("trap", error.message);
  if (WebAssembly.Exception && error instanceof WebAssembly.Exception) return outcome("exception");
  return outcome("crash", String(error));
}

function provide(imports, heard) {
  const host = {};
  for (const [place, name, t] of imports) {
    host[place] ||= {};
    host[place][name] = extern(name, t, heard);
  }
  return host;
}

function extern(name, t, heard) {
  if (t.kind === "func") {
    return (...args) => {
      const n = heard.length;
      heard.push(`${name}(${args.map((arg, i) => `${t.type[0][i]}:${hex(toBits(t.type[0][i], arg))}`).join(", ")})`);
      const given = t.type[1].map((type) => hostNumber(type, n));
      return given.length === 1 ? given[0] : given.length ? given : undefined;
    };
  }
  if (t.kind === "global") return new WebAssembly.Global({ value: t.type, mutable: t.mutable }, hostNumber(t.type, 7));
  if (t.kind === "memory") return new WebAssembly.Memory({ initial: t.min, maximum: t.max ?? undefined });
  if (t.kind === "table") return new WebAssembly.Table({ initial: t.min, maximum: t.max ?? undefined, element: "anyfunc" });
  return new WebAssembly.Tag({ parameters: ["i32"] });
}

function call(instance, types, [name, args]) {
  const [params, results] = types[name];
  try {
    const given = instance.exports[name](...args.map((arg, i) => toNumber(params[i], arg)));
    const values = results.length === 1 ? [given] : results.length ? given : [];
    return outcome("returned", "", values.map((value, i) => `${results[i]}:${hex(toBits(results[i], value))}`));
  } catch (error) {
    return failure(error);
  }
}

function run(job) {
  const answer = { start: outcome("returned"), calls: [], host: [], state: {} };
  let module;
  try {
    module = new WebAssembly.Module(Buffer.from(job.data, "hex"));
    if (!job.instantiate) return answer;
    const instance = new WebAssembly.Instance(module, provide(job.imports, answer.host));
    answer.calls = job.calls.map((one) => call(instance, job.types, one));
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) answer.start = outcome("invalid", error.message);
    else if (error instanceof WebAssembly.LinkError) answer.start = outcome("unlinkable", error.message);
    else answer.start = failure(error);
  }
  return answer;
}

// Numbers of 64 bits do not fit into those of JSON, so that arguments are read as big integers from their digits.
const text = require("fs").readFileSync(0, "utf8");
const job = JSON.parse(text.replace(/"calls": (\[.*?\]), "features"/s, (_, calls) => `"calls": ${calls.replace(/(?<=[\s,[])(\d+)(?=[\s,\]])/g, '"$1"')}, "features"`));
job.calls = job.calls.map(([name, args]) => [name, args.map((arg) => (arg === null ? 0n : BigInt(arg)))]);
process.stdout.write(JSON.stringify(run(job)));
