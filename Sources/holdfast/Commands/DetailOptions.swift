import ArgumentParser
import Basics
import Messages

/// What a workflow is to say of itself from its start on.
struct DetailOptions: ParsableArguments {
  @Option(
    parsing: .unconditionalSingleValue,
    help: "Something to note: KEY=VALUE; what is not JSON is a text. May be given several times.")
  var memo: [String] = []
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "What lists find it by, as NAME:TYPE=VALUE: Amount:Int=7, Due:Datetime=2026-01-31T12:00:00Z,"
        + " Tags:KeywordList=new,hot. May be given several times."))
  var searchAttribute: [String] = []

  func notedMemo() throws -> Memo? {
    guard !memo.isEmpty else { return nil }
    var fields: [PayloadEntry] = []
    for text in memo {
      guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
        throw Fault(text: "--memo '\(text)' is not KEY=VALUE", code: ExitCodes.usage)
      }
      var field = PayloadEntry()
      field.key = String(text[..<sign])
      field.value = DetailOptions.payload(String(text[text.index(after: sign)...]))
      fields.append(field)
    }
    var noted = Memo()
    noted.fields = fields.sorted { $0.key < $1.key }
    return noted
  }

  private static func payload(_ text: String) -> Payload {
    var json = text
    do throws(JSONError) {
      try JSONSyntax.check(text)
    } catch {
      json = ""
      JSONWriter.quote(text, into: &json)
    }
    var payload = Payload()
    payload.encoding = "json/plain"
    payload.data = Array(json.utf8)
    return payload
  }

  func notedAttributes() throws -> SearchAttributes? {
    guard !searchAttribute.isEmpty else { return nil }
    var attributes = SearchAttributes()
    attributes.fields = try searchAttribute.map(DetailOptions.attribute)
      .sorted { $0.name < $1.name }
    return attributes
  }

  private static func attribute(_ text: String) throws -> SearchAttribute {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let head = parts[0].split(separator: ":", maxSplits: 1)
    guard parts.count == 2, head.count == 2,
      let type = AttributeType.allCases.first(where: { $0.isNamed(String(head[1])) })
    else {
      throw Fault(
        text: "--search-attribute '\(text)' is not NAME:TYPE=VALUE; the types are "
          + AttributeType.allCases.map(\.rawValue).joined(separator: ", "),
        code: ExitCodes.usage)
    }
    var attribute = SearchAttribute()
    attribute.name = String(head[0])
    guard let content = type.content(String(parts[1])) else {
      throw Fault(
        text: "--search-attribute '\(text)': '\(parts[1])' is no value of the type"
          + " \(type.rawValue)",
        code: ExitCodes.usage)
    }
    attribute.content = content
    return attribute
  }
}

/// The types of search attributes, as people write them: upper and lower case are the same.
enum AttributeType: String, CaseIterable, ExpressibleByArgument {
  case text = "Text"
  case keyword = "Keyword"
  case keywordList = "KeywordList"
  case int = "Int"
  case double = "Double"
  case bool = "Bool"
  case datetime = "Datetime"

  init?(argument: String) {
    guard let type = AttributeType.allCases.first(where: { $0.isNamed(argument) }) else {
      return nil
    }
    self = type
  }

  fileprivate func isNamed(_ text: String) -> Bool { rawValue.lowercased() == text.lowercased() }

  var type: SearchAttributeType {
    switch self {
    case .text: .text
    case .keyword: .keyword
    case .keywordList: .keywordList
    case .int: .int
    case .double: .double
    case .bool: .bool
    case .datetime: .datetime
    }
  }

  fileprivate func content(_ text: String) -> SearchAttribute.Content? {
    switch self {
    case .text: return .text(text)
    case .keyword: return .keyword(text)
    case .keywordList:
      var list = KeywordList()
      list.keywords = text.split(separator: ",").map(String.init)
      return .keywordList(list)
    case .int: return Int64(text).map { .intValue($0) }
    case .double: return Double(text).map { .doubleValue($0) }
    case .bool: return Bool(text).map { .boolValue($0) }
    case .datetime: return Instant(iso8601: text).map { .instantTimeMs($0) }
    }
  }
}

/// What a workflow says of itself, for people.
enum DetailText {
  static func of(_ attribute: SearchAttribute) -> String {
    switch attribute.content {
    case .text(let text), .keyword(let text): text
    case .keywordList(let list): list.keywords.joined(separator: ", ")
    case .intValue(let int): String(int)
    case .doubleValue(let double): String(double)
    case .boolValue(let bool): String(bool)
    case .instantTimeMs(let time): Show.time(time)
    case nil: "nothing"
    }
  }

  static func of(_ entry: PayloadEntry) -> String {
    entry.value.map { Show.payloads([$0]) } ?? "nothing"
  }

  /// Of the search attribute, else of the memo, of that name.
  static func of(_ name: String, in info: WorkflowInfo) -> String {
    if let attribute = info.searchAttributes?.fields.first(where: { $0.name == name }) {
      return of(attribute)
    }
    return info.memo?.fields.first { $0.key == name }.map(of) ?? ""
  }
}
