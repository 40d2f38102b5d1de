// What the checks of Node's clients share: where packages are, and one line for each check.
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';

const installed = process.env.INSTALLED;
export const require = createRequire(pathToFileURL(`${installed}/node_modules/`).href);

// Some packages are written for a bundler: their imports lack the file's ending.
const hooks = `
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
export async function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && context.parentURL?.includes('/shipstation-node/')) {
    const url = new URL(specifier, context.parentURL);
    const path = fileURLToPath(url);
    const whole = existsSync(path) && statSync(path).isDirectory() ? url.href + '/index.js' : existsSync(path) ? url.href : url.href + '.js';
    return next(whole, context);
  }
  return next(specifier, context);
}
export async function load(url, context, next) {
  return next(url, url.includes('/shipstation-node/dist/') ? { ...context, format: 'module' } : context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

const checks = [];
export const check = (name, run) => checks.push([name, run]);

export function assert(truth, why) {
  if (!truth) throw new Error(`not so: ${typeof why === 'string' ? why : JSON.stringify(why)?.slice(0, 300)}`);
}

/// The vendor answers; the sandbox has to say that it does not imitate it.
export const notImitated = (name, run) =>
  check(name, async () => {
    const told = await run();
    throw new Error(`it was answered: ${JSON.stringify(told)?.slice(0, 200)}`);
  });

export async function refused(run, holds) {
  let error;
  try {
    await run();
  } catch (thrown) {
    error = thrown;
  }
  assert(error, 'it was not refused');
  assert(holds(error), error.message + JSON.stringify(error.response?.data ?? error.data ?? {}));
}

export async function all() {
  for (const [name, run] of checks) {
    try {
      await run();
      console.log(`ok ${name}`);
    } catch (error) {
      const said = `${error.message} ${JSON.stringify(error.response?.data ?? error.data ?? '')}`;
      console.log(said.includes('not imitate') ? `named ${name}` : `FAIL ${name}: ${said.slice(0, 400)}`);
    }
  }
}
