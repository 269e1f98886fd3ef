"""An x86 processor with AVX-512 and AVX512_BF16 that calls single functions: the
processor of the Bochs emulator (PyPI package bochscpu-python), set to its Sapphire
Rapids model."""

import ctypes

import bochscpu
import bochscpu.cpu
import bochscpu.memory as memory
from bochscpu import _bochscpu

PAGE = 4096
GIGA = 1 << 30

SAPPHIRE_RAPIDS = 30  # in Bochs' list of models
RETURN = (1 << 47) - PAGE  # a place that Linux gives to nobody; a call ends there

# Physical places of the page tables, level by level. A table of the last level
# leads from a gigabyte of linear addresses to one of physical addresses.
ROOT, UPPER, LOWER = 0, 0x100000, GIGA // 2


class Fault(Exception):
    pass


class Machine:
    def __init__(self, read, keep):
        """read returns a page of the process's memory, or None. keep tells of an
        address whether its page never changes."""
        self.read, self.keep = read, keep
        self.pages, self.free, self.fault = {}, [], None
        self.windows = []  # which linear gigabyte stands at physical 1, 2, ... GB
        self.choose_model()
        self.session = bochscpu.Session()
        self.session.missing_page_handler = self.missing
        self.hook = bochscpu.Hook()
        self.hook.hlt = lambda session, cpu: session.stop()
        self.hook.exception = self.exception
        self.state = self.fresh_state()

    @staticmethod
    def choose_model():
        """The package has no call for this: it is the parameter cpu.model inside."""
        library = ctypes.CDLL(_bochscpu.__file__)
        parameter = library["_ZN13bx_real_sim_c14get_param_enumEPKcP10bx_param_c"]
        parameter.restype = ctypes.c_void_p
        model = ctypes.c_void_p(parameter(None, b"cpu.model", None))
        library["_ZN14bx_param_num_c9set_rangeEmm"](model, ctypes.c_ulong(0), ctypes.c_ulong(SAPPHIRE_RAPIDS))
        library["_ZN14bx_param_num_c3setEl"](model, ctypes.c_long(SAPPHIRE_RAPIDS))

    @staticmethod
    def fresh_state():
        s = bochscpu.State()
        bochscpu.cpu.set_long_mode(s)
        s.cr3 = ROOT
        s.cr4 = 1 << 5 | 1 << 9 | 1 << 10 | 1 << 18  # PAE, SSE, its exceptions, XSAVE
        s.xcr0 = 0xE7  # x87, SSE, AVX, AVX-512
        s.mxcsr, s.mxcsr_mask, s.rflags = 0x1F80, 0xFFFF, 2
        code, data = bochscpu.Segment(), bochscpu.Segment()
        for segment, selector, kind in (code, 0x10, 0x209B), (data, 0x18, 0x0C93):
            segment.present, segment.selector, segment.attr = True, selector, kind
            segment.limit = 0xFFFFFFFF
        s.cs = code
        s.ds = s.ss = s.es = s.fs = s.gs = data
        # what a function has not set itself is NaN, or no address
        for name in "rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15".split():
            setattr(s, name, 0xDEAD_BEEF_DEAD_BEEF)
        registers = []
        for _ in range(32):
            z = _bochscpu.Zmm()
            z.q = [0xFFFFFFFF_FFFFFFFF] * 8
            registers.append(z)
        s.zmm = registers
        return s

    def insert(self, gpa, data):
        host = self.free.pop() if self.free else memory.allocate_host_page()
        ctypes.memmove(host, data, PAGE)
        memory.page_insert(gpa, host)
        return host

    def window(self, giga):
        """Linear addresses are 47 bits wide, physical ones 40: a linear gigabyte
        gets a physical one when it is first used."""
        if giga not in self.windows:
            self.windows.append(giga)
        return (self.windows.index(giga) + 1) * GIGA

    def physical(self, address):
        return self.window(address // GIGA) + address % GIGA

    def linear(self, gpa):
        return self.windows[gpa // GIGA - 1] * GIGA + gpa % GIGA

    def table(self, gpa):
        """The page table at a physical place: present, writable, the last of pages
        of 2 MB."""
        if gpa >= LOWER:
            entries = range(self.window((gpa - LOWER) // PAGE) | 0x83, 1 << 63, 2 << 20)
        elif gpa >= UPPER:
            entries = range(LOWER + (gpa - UPPER) * 512 | 3, 1 << 63, PAGE)
        else:
            entries = range(UPPER | 3, 1 << 63, PAGE)
        return b"".join(entry.to_bytes(8, "little") for entry in entries[:512])

    def missing(self, gpa):
        gpa &= ~(PAGE - 1)
        if gpa < GIGA:
            self.insert(gpa, self.table(gpa))
            return
        address = self.linear(gpa)
        if address == RETURN:
            self.insert(gpa, b"\xf4".ljust(PAGE, b"\0"))  # HLT
            return
        data = self.read(address)
        if data is None:
            self.fault = self.fault or f"no memory at {address:#x}"
            data = bytes(PAGE)
            self.session.stop()
        host = self.insert(gpa, data)
        if not self.keep(address):
            self.pages[gpa] = host, data

    def exception(self, session, cpu, vector, code):
        self.fault = self.fault or f"processor exception {vector} at {session.cpu.rip:#x}"
        session.stop()

    def call(self, function, stack):
        """Runs a function whose arguments are on the stack, above the return
        address. Returns what it wrote: addresses and bytes."""
        self.fault = None
        gpa = self.physical(stack) & ~(PAGE - 1)
        self.missing(gpa)
        host, data = self.pages[gpa]
        at = stack % PAGE
        data = data[:at] + RETURN.to_bytes(8, "little") + data[at + 8 :]
        ctypes.memmove(host, data, PAGE)
        self.pages[gpa] = host, data

        self.state.rip, self.state.rsp = function, stack
        self.session.cpu.state = self.state
        self.session.run([self.hook])
        if not self.fault and self.session.cpu.rsp != stack + 8:
            self.fault = "the stack pointer was not restored"
        writes = []
        for gpa, (host, before) in self.pages.items():
            after = ctypes.string_at(host, PAGE)
            if after != before:
                writes += [(self.linear(gpa) + i, piece) for i, piece in changes(before, after)]
            memory.page_remove(gpa)
            self.free.append(host)
        self.pages.clear()
        if self.fault:
            raise Fault(self.fault)
        return writes


def changes(before, after):
    """Other threads may write next to us: only words that have changed go back."""
    for line in range(0, PAGE, 64):
        if before[line : line + 64] == after[line : line + 64]:
            continue
        begin = None
        for i in range(line, line + 68, 4):
            same = i == line + 64 or before[i : i + 4] == after[i : i + 4]
            if same and begin is not None:
                yield begin, after[begin:i]
                begin = None
            elif not same and begin is None:
                begin = i
