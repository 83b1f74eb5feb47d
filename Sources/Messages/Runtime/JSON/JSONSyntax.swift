/// Whether a text is JSON at all, whatever it holds.
package enum JSONSyntax {
  /// What a person writes is not deeper, and a stack holds it.
  private static let depthMax = 1_000

  /// Throws what is wrong and where; duplicate keys are wrong too.
  package static func check(_ text: String) throws(JSONError) {
    let bytes = Array(text.utf8)
    do throws(JSONFault) {
      _ = try JSONParser.parse(bytes, depthMax: depthMax)
    } catch { throw error.placed(in: bytes) }
  }
}
