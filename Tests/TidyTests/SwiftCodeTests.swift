import Testing

/// What the other checks rest on.
@Suite("Swift code without comments and texts") struct SwiftCodeTests {
  @Test(arguments: [
    ("let a = 1 // try!", "let a = 1"),
    ("a /* one /* two */ three */ b", "a                           b"),
    (#"f("try! \" x", y)"#, "f(           , y)"),
    (#"f("a \(g("b")) c")"#, "f(     g(   )    )"),
    (##"f(#"a \(b) " c"#, d)"##, "f(              , d)"),
    ("a #if b", "a #if b"),
  ])
  func commentsAndTextsAreBlank(_ source: String, _ code: String) {
    let blanked = SwiftCode(source)
    #expect(blanked.bytes.count == source.utf8.count)
    let trimmed = String(blanked.lines.joined(separator: "\n"))
    #expect(trimmed.trimmingSuffix(" ") == code)
  }

  @Test func textsOfSeveralLinesKeepTheLinesInPlace() {
    let source = "let a = \"\"\"\n  func f() {\n  \"quoted\"\n  \"\"\"\nlet b = 2"
    #expect(
      SwiftCode(source).lines.map { String($0).trimmingSuffix(" ") } == [
        "let a =", "", "", "", "let b = 2",
      ])
  }

  @Test func functionsAreFoundWithTheirLengths() {
    let source = """
      protocol P {
        func withoutBody(_ a: Int)
        init()
      }
      struct S {
        init() { self.a = .init() }
        func one() -> Int { 1 }
        func three(
          _ f: () -> Void = { }
        ) {
          if true { f() }
        }
        deinit {
        }
      }
      """
    #expect(
      SwiftCode(source).functions == [
        SwiftFunction(name: "init", line: 6, lineCount: 1),
        SwiftFunction(name: "one", line: 7, lineCount: 1),
        SwiftFunction(name: "three", line: 8, lineCount: 5),
        SwiftFunction(name: "deinit", line: 13, lineCount: 2),
      ])
  }
}

extension String {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var text = self
    while text.last == character { text.removeLast() }
    return text
  }
}
