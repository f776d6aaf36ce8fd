import { test } from 'vitest';
import { expectCaught } from './flaws/expect-caught.ts';
import { losesInTrouble } from './flaws/loses-in-trouble.ts';
import { misreadsHttp } from './flaws/misreads-http.ts';
import { recordsOtherwise } from './flaws/records-otherwise.ts';
import { refusesTheUnknown } from './flaws/refuses-the-unknown.ts';

test.each([...refusesTheUnknown, ...recordsOtherwise, ...losesInTrouble, ...misreadsHttp])(
  'a receiver that $name is caught',
  expectCaught,
);
