"""Runs a test binary of Go on a processor without AVX-512 and lets another one,
emulated, execute the functions that need it. The process is traced; a breakpoint
stands at the beginning of each assembly function for AVX-512, and of CPUID and
XGETBV, by which the process finds out what its processor has.

usage: trace.py BINARY [ARGUMENT...]"""

import collections
import ctypes
import os
import re
import signal
import subprocess
import sys
import time

from machine import PAGE, Fault, Machine

FUNCTIONS = re.compile(r"/internal/kernels\.\w+(AVX512|BF16)\.abi0$|golang\.org/x/sys/cpu\.(cpuid|xgetbv)\.abi0$")

TRACEME, CONT, GETREGS, SETREGS, SETOPTIONS = 0, 7, 12, 13, 0x4200
TRACECLONE, EXITKILL = 8, 1 << 20
ALL_THREADS = 0x40000000  # __WALL

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Registers(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_ulonglong)
        for name in "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs "
        "eflags rsp ss fs_base gs_base ds es fs gs".split()
    ]


def ptrace(request, thread, data=None):
    if libc.ptrace(request, thread, None, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace request {request}")


def symbols(binary):
    """The functions to emulate by address, and the end of the program's text."""
    functions, end = {}, 0
    for line in subprocess.check_output(["go", "tool", "nm", binary], text=True).splitlines():
        address, _, name = line.split(maxsplit=2)
        if FUNCTIONS.search(name):
            functions[int(address, 16)] = name.rsplit("/", 1)[-1].removesuffix(".abi0")
        if name == "runtime.etext":
            end = int(address, 16)
    return functions, end


class Tracer:
    def __init__(self, binary, arguments):
        self.functions, self.text_end = symbols(binary)
        self.calls = collections.Counter()
        self.pid = os.fork()
        if self.pid == 0:
            libc.ptrace(TRACEME, 0, None, None)
            os.execv(binary, [binary, *arguments])
        os.waitpid(self.pid, 0)
        ptrace(SETOPTIONS, self.pid, TRACECLONE | EXITKILL)
        self.memory = os.open(f"/proc/{self.pid}/mem", os.O_RDWR)
        self.original = {at: os.pread(self.memory, 1, at) for at in self.functions}
        for at in self.functions:
            os.pwrite(self.memory, b"\xcc", at)
        self.machine = Machine(self.read_page, lambda address: address < self.text_end)
        ptrace(CONT, self.pid)

    def read_page(self, address):
        try:
            data = os.pread(self.memory, PAGE, address)
        except OSError:
            return None
        if address < self.text_end:  # without our breakpoints
            data = bytearray(data)
            for at, byte in self.original.items():
                if address <= at < address + PAGE:
                    data[at - address : at - address + 1] = byte
            data = bytes(data)
        return data

    def run(self):
        """Returns the exit code of the process."""
        threads = {self.pid}
        while True:
            thread, status = os.waitpid(-1, ALL_THREADS)
            if not os.WIFSTOPPED(status):
                if thread == self.pid:
                    return os.waitstatus_to_exitcode(status)
                continue
            deliver = os.WSTOPSIG(status)
            if thread not in threads:  # a new one begins with a stop
                threads.add(thread)
                deliver = 0
            elif deliver == signal.SIGTRAP and (status >> 16 or self.emulate(thread)):
                deliver = 0
            ptrace(CONT, thread, deliver)

    def emulate(self, thread):
        r = Registers()
        ptrace(GETREGS, thread, ctypes.addressof(r))
        at = r.rip - 1
        if at not in self.functions:
            return False
        self.calls[self.functions[at]] += 1
        try:
            writes = self.machine.call(at, r.rsp)
        except Fault as fault:
            print(f"emulate {self.functions[at]}: {fault}", file=sys.stderr, flush=True)
            os._exit(1)
        for address, data in writes:
            os.pwrite(self.memory, data, address)
        r.rip = int.from_bytes(os.pread(self.memory, 8, r.rsp), "little")
        r.rsp += 8
        ptrace(SETREGS, thread, ctypes.addressof(r))
        return True


def main():
    began = time.time()
    tracer = Tracer(sys.argv[1], sys.argv[2:])
    code = tracer.run()
    print(f"emulated calls in {time.time() - began:.0f} s:", file=sys.stderr)
    for name, count in sorted(tracer.calls.items()):
        print(f"{count:9} {name}", file=sys.stderr)
    unused = sorted(set(tracer.functions.values()) - set(tracer.calls))
    if unused:
        print("never called:", ", ".join(unused), file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the package crashes when Python takes it down


main()
