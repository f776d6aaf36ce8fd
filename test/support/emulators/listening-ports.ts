import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A listening TCP socket. `address` is in the kernel's notation: 0100007F is 127.0.0.1. */
export type ListeningSocket = { readonly address: string; readonly port: number };

const listening = '0A';

/** Finds the TCP sockets on which a process and its descendants listen. Reads /proc, which only Linux has. */
export function listeningSockets(pid: number): readonly ListeningSocket[] {
  const inodes = new Set(processTree(pid).flatMap(socketInodes));
  const sockets = ['tcp', 'tcp6'].flatMap((protocol) => {
    const lines = readFileSync(`/proc/${pid}/net/${protocol}`, 'utf8').trim().split('\n').slice(1);
    return lines.map((line) => line.trim().split(/\s+/));
  });
  return sockets
    .filter(({ 3: state, 9: inode = '' }) => state === listening && inodes.has(inode))
    .map(({ 1: local = '' }) => {
      const [address = '', port = ''] = local.split(':');
      return { address, port: Number.parseInt(port, 16) };
    });
}

function processTree(root: number): readonly number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter(isNumber)
      .map((pid) => [Number(pid), parentOf(Number(pid))]),
  );
  const childrenOf = (pid: number): readonly number[] =>
    [...parents].flatMap(([child, parent]) => (parent === pid ? [child, ...childrenOf(child)] : []));
  return [root, ...childrenOf(root)];
}

// A process may end while it is read.
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function socketInodes(pid: number): readonly string[] {
  try {
    const files = readdirSync(`/proc/${pid}/fd`);
    return files.flatMap((file) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${file}`))?.[1] ?? []);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}
