import { test } from 'vitest';
import { acceptsForgeries } from './flaws/accepts-forgeries.ts';
import { changesBytes } from './flaws/changes-bytes.ts';
import { expectCaught } from './flaws/expect-caught.ts';
import { failsOpen } from './flaws/fails-open.ts';
import { refusesTooMuch } from './flaws/refuses-too-much.ts';

test.each([...refusesTooMuch, ...acceptsForgeries, ...failsOpen, ...changesBytes])(
  'a receiver that $name is caught',
  expectCaught,
);
