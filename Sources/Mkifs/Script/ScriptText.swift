extension ScriptCompiler {
    /// Whether the contents of a script's file are lines of text: records have zeros in them.
    public static func isText(_ bytes: [UInt8]) -> Bool { !bytes.contains(0) }

    /// The file of records of a script that stands by itself, as in a buildfile's section. Throws
    /// `buildfile` with its errors; `name` is what they call the text.
    public static func file(
        of text: [UInt8], name: String, for release: Release
    ) throws(MkifsError) -> [UInt8] {
        var diagnostics = Diagnostics()
        var scope = AttributeScope(release)
        var section = AttributeScope.Section(of: scope.defaults)
        var globals = GlobalVariables()
        var compiler = ScriptCompiler()
        _ = compiler.compile(
            SourceText(name: name, bytes: text), scope: &scope, section: &section,
            globals: &globals, environment: { _ in nil }, diagnostics: &diagnostics)
        try diagnostics.throwErrors()
        return compiler.file
    }
}
