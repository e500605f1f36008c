internal import Format

/// How a relocatable boot file becomes a program: two segments, text at the address asked for, data
/// on a page of its own. It is written in what GNU ld and lld both read.
struct LinkerScript: Sendable {
    /// The script.
    let text: String

    /// The script for one file.
    init(_ request: LinkRequest, _ file: ELFFile) {
        // The vendor's own layout: read-only data goes before the data on 32-bit ARM, but not if that
        // is far away, where the tables for unwinding do not reach the text.
        let isWithData = request.machine == 40 && request.dataAddress == 0
        text = """
            ENTRY(_start)
            PHDRS
            {
            text PT_LOAD FLAGS(5);
            data PT_LOAD FLAGS(6);
            }
            SECTIONS
            {
            /DISCARD/ : { *(.note.GNU-stack) *(.note.gnu.property) }
            . = \(hex(request.textAddress));
            \(Self.code(startsWith: Self.gap(request.textAddress, file)))
            \(isWithData ? "" : Self.constants(in: "text"))
            . = \(Self.dataAddress(request));
            \(isWithData ? Self.constants(in: "data") : "")
            \(Self.data)
            }
            \(Self.checks(request))

            """
    }

    /// SHF_EXECINSTR. Source: the System V ABI.
    private static let executable: UInt64 = 4

    /// The kinds of text in the order in which they are laid out, each by what its names begin with.
    private static let kindsOfText = [".text.unlikely", ".text.startup", ".text.hot", ".text"]

    private static func code(startsWith gap: String) -> String {
        let kinds = kindsOfText.dropLast().map { "\($0) : { *(\($0)*) } :text\n" }.joined()
        return """
            _btext = .;
            \(gap)
            \(kinds).text :
            {
            *(.text* .stub .gnu.linkonce.t.*)
            *(.init) *(.fini)
            *(.glue_7 .glue_7t .vfp11_veneer .v4_bx)
            } :text
            _etext = .;
            PROVIDE(etext = .);
            """
    }

    /// A byte at the text address, where the first text is aligned to more than the address is: the
    /// segment begins at the address all the same.
    private static func gap(_ address: UInt64, _ file: ELFFile) -> String {
        let code = file.sections.filter { $0.flags & executable != 0 && $0.size > 0 }
        for kind in kindsOfText {
            let first = code.filter { $0.name.starts(with: kind.utf8) }
            guard let alignment = first.map(\.alignment).max() else { continue }
            return alignment > 1 && address % alignment != 0
                ? ".text.gap : { BYTE(0) } :text" : ""
        }
        return ""
    }

    /// Names in one pattern keep the order that they have in the file: symbols mark where a list
    /// of `.rodata.1` or `.rodata_mod` begins and ends.
    ///
    /// Both linkers add a header for ARM's unwind table by themselves, and lld one too many where the
    /// script has one.
    private static func constants(in segment: String) -> String {
        """
        .rodata : { *(.rodata* .gnu.linkonce.r.* .sdata2* .sbss2*) } :\(segment)
        .ARM.extab : { *(.ARM.extab*) } :\(segment)
        .ARM.exidx :
        {
        __exidx_start = .;
        *(.ARM.exidx*)
        __exidx_end = .;
        } :\(segment)
        .eh_frame : { *(.eh_frame .eh_frame.*) *(.gcc_except_table*) } :\(segment)
        .note : { *(.note .note.*) } :\(segment)
        .reginfo : { *(.reginfo) } :\(segment)
        .MIPS.abiflags : { *(.MIPS.abiflags) } :\(segment)
        """
    }

    private static func dataAddress(_ request: LinkRequest) -> String {
        request.dataAddress == 0 ? "ALIGN(\(hex(request.pageSize)))" : hex(request.dataAddress)
    }

    private static let data = """
        .init_array : { *(.preinit_array* .init_array* .fini_array* .ctors* .dtors*) } :data
        .data.rel.ro : { *(.data.rel.ro*) } :data
        PROVIDE(_gp = ALIGN(16) + 0x7ff0);
        .got : { *(.got) *(.got.plt) *(.igot.plt) *(.got1) *(.got2) } :data
        .data : { *(.data* .gnu.linkonce.d.*) *(.sdata* .gnu.linkonce.s.*) } :data
        _edata = .;
        PROVIDE(edata = .);
        __bss_start = .;
        .bss : { *(.sbss* .scommon) *(.dynbss) *(.bss* .gnu.linkonce.b.*) *(COMMON) } :data
        _end = .;
        PROVIDE(end = .);
        """

    private static func checks(_ request: LinkRequest) -> String {
        request.kind == .other ? "" : #"ASSERT(DEFINED(_start), "there is no symbol _start")"#
    }
}
