import type { Cost } from './cost.ts';
import { itemBytes, storedOverheadBytes } from './item-size.ts';
import { dollarsFor } from './prices.ts';

/** What a million webhooks leave in the table, and what that costs each month until it is removed. */
export type Storage = { readonly gigabytes: number; readonly dollarsAMonth: number };

// The key of a document and the one of the index: two ids of 36 characters.
const indexEntry = { userUpload: '-'.repeat(36), account: '-'.repeat(36) };

/** Gives it: no price per webhook, as it depends on how long documents are kept. */
export function storageOf({ facts, measured, assumed }: Cost): Storage {
  const documents = 1_000_000 / assumed.webhooksPerDocument;
  const gigabytes = (bytes: number) => (documents * (bytes + storedOverheadBytes)) / 1_024 ** 3;
  const table = gigabytes(measured.recordBytes);
  const indexes = facts.table.indexes * gigabytes(itemBytes(indexEntry));
  return {
    gigabytes: table + indexes,
    dollarsAMonth:
      dollarsFor('dynamodbStorage', table + indexes) +
      (facts.table.isRecoverable ? dollarsFor('dynamodbRecovery', table) : 0),
  };
}
