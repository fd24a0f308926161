/** Numbers of system calls, as the kernel's tables give them (arch/x86/entry/syscalls/syscall_64.tbl; scripts/syscall.tbl). */
interface Processor {
  /** AUDIT_ARCH_…, linux/audit.h. */
  readonly audit: number;
  readonly mmap: number;
  readonly clone: number;
  /** Memory that no process is seen to hold: memfd_create, memfd_secret, shmget, shmat, msgget, io_uring_setup, userfaultfd, bpf. */
  readonly memory: readonly number[];
  /** Namespaces in which a program could mount memory of its own: unshare, setns, clone3, mount, fsopen. */
  readonly namespaces: readonly number[];
}

const processors: Readonly<Record<string, Processor>> = {
  x64: {
    audit: 0xc000_003e,
    mmap: 9,
    clone: 56,
    memory: [319, 447, 29, 30, 68, 425, 323, 321],
    namespaces: [272, 308, 435, 165, 430],
  },
  arm64: {
    audit: 0xc000_00b7,
    mmap: 222,
    clone: 220,
    memory: [279, 447, 194, 196, 186, 425, 282, 280],
    namespaces: [97, 268, 435, 40, 430],
  },
};

const mapShared = 0x1;
/** CLONE_NEWNS, …CGROUP, …UTS, …IPC, …USER, …PID, …NET. */
const anyNamespace = 0x7e02_0000;
/** The second calling convention of x64, with numbers of its own. */
const x32 = 0x4000_0000;

/** Whether system calls can be forbidden on this processor. */
export function canForbidCalls(processor: string = process.arch): boolean {
  return processors[processor] !== undefined;
}

/**
 * A filter of system calls for the kernel, as `bwrap --seccomp` reads it (BPF instructions of eight bytes). What a program writes into
 * memory must be seen with its processes, or the watcher of its memory sees nothing: it may share none (memfd, System V, mappings that
 * are shared) and make no namespace, in which it could mount some. Calls that are forbidden fail as if the kernel had none; threads and
 * files are as ever.
 */
export function forbiddenCalls(processor: string = process.arch): Uint8Array {
  const { audit, mmap, clone, memory, namespaces } = processors[processor] as Processor;
  const bytes: number[] = [];
  const add = (code: number, value: number, whereTrue = 0, whereFalse = 0): void => {
    bytes.push(code & 255, code >> 8, whereTrue, whereFalse);
    bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
  };
  const load = (offset: number): void => add(0x20, offset);
  const is = 0x15;
  const atLeast = 0x35;
  const hasAny = 0x45;
  const give = (what: number): void => add(0x06, what);
  const allow = 0x7fff_0000;
  const kill = 0x8000_0000;
  const notThere = 0x0005_0000 + 38;
  const notPermitted = 0x0005_0000 + 1;
  const argument = (index: number): number => 16 + 8 * index;
  load(4);
  add(is, audit, 1, 0);
  give(kill);
  load(0);
  add(atLeast, x32, 0, 1);
  give(notThere);
  for (const call of [...memory, ...namespaces]) {
    add(is, call, 0, 1);
    give(notThere);
  }
  for (const [call, index, flags] of [
    [mmap, 3, mapShared],
    [clone, 0, anyNamespace],
  ] as const) {
    add(is, call, 0, 4);
    load(argument(index));
    add(hasAny, flags, 0, 1);
    give(notPermitted);
    give(allow);
  }
  give(allow);
  return Uint8Array.from(bytes);
}
