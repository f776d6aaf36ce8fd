import type { Server } from 'node:http';
import { registerHooks } from 'node:module';

// In the key of an index entry, dynalite 4.0.0 represents the item by six digits of a hash. Two items of one owner whose
// digits are equal therefore share one entry, and a query returns only one of them. The item's own key is unique.
const file = '/dynalite/db/index.js';
const line = 'return createKey(item, table, keySchema) + hashPrefix.apply(this, tableKeyPieces)';
const correctedLine = `${line} + '/' + createKey(item, table)`;

/**
 * Creates the server of dynalite, which does not listen yet, and corrects its index keys while its code is loaded. Throws
 * when the installed version does not contain the line to correct: the correction may then be unnecessary.
 */
export async function createDynalite(): Promise<Server> {
  let isCorrected = false;
  const hooks = registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(file)) return loaded;
      const source = String(loaded.source);
      isCorrected = source.includes(line);
      return { ...loaded, source: source.replace(line, correctedLine) };
    },
  });
  const { default: dynalite } = await import('dynalite');
  hooks.deregister();
  if (!isCorrected) throw new Error('The index keys of this dynalite differ: check tools/local/create-dynalite.ts.');
  return dynalite({ createTableMs: 0 });
}
