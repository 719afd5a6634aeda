// Reads the types behind the package's exports with the compiler itself: names, types, defaults and doc comments, so
// that
// a page made of them cannot say what the types do not. The compiler's interface is marked unstable: a new version of
// typescript may need a change here, and test/docs.test.ts then says so.
import { join } from 'node:path'
import { SyntaxKind } from 'typescript/unstable/ast'
import { API, SymbolFlags } from 'typescript/unstable/sync'

/**
 * @typedef {object} Field
 * @property {string} name with `?` where it may be absent, and its path below a nested object (`summary.total`)
 * @property {string} type as written, without `readonly`
 * @property {string} doc
 * @property {string | undefined} standard its `@default`
 *
 * @typedef {object} Shown a declaration as a page shows it
 * @property {string} name
 * @property {'fields' | 'class' | 'function' | 'values' | 'variants' | 'text'} kind
 * @property {string} doc
 * @property {readonly string[]} examples
 * @property {string} [text] of a function or of a type that is neither object nor union
 * @property {readonly Field[]} [fields]
 * @property {readonly { text: string, doc: string }[]} [rows] methods, values or variants
 * @property {string} [code] the `code` of an error class
 * @property {readonly { name: string, without: readonly string[] }[]} parents other shown declarations whose fields it
 *   has too, and which of them it has not
 * @property {readonly string[]} mentions names of the other declarations it refers to
 */

/**
 * @param {string} root folder of the project
 * @param {ReadonlySet<string>} opaque names of types that are shown by name only
 * @returns {{ exported: readonly string[], describe: (name: string) => Shown, close: () => void }}
 */
export function readPublicTypes(root, opaque) {
  const api = new API({ cwd: root })
  try {
    const reader = readerOf(api, root, opaque)
    return { exported: [...reader.known.keys()], describe: (name) => reader.describe(name), close: () => api.close() }
  } catch (error) {
    api.close()
    throw error
  }
}

function readerOf(api, root, opaque) {
  const snapshot = api.updateSnapshot({ openProject: join(root, 'tsconfig.build.json') })
  const [project] = snapshot.getProjects()
  const { program, checker } = project
  const reader = new Reader(project, join(root, 'src'), opaque)
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(root, 'src/index.ts')))
  for (const symbol of checker.getExportsOfModule(module)) reader.add(symbol)
  return reader
}

class Reader {
  /** By name: everything exported, then what those refer to. */
  known = new Map()
  #project
  #checker
  #folder
  #opaque

  constructor(project, folder, opaque) {
    this.#project = project
    this.#checker = project.checker
    this.#folder = folder
    this.#opaque = opaque
  }

  add(symbol) {
    const real = symbol.flags & SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol
    this.known.set(symbol.name, real)
  }

  describe(name) {
    const symbol = this.known.get(name)
    if (symbol === undefined) throw new Error(`no declaration "${name}" is reachable from src/index.ts`)
    const node = this.#declarationOf(symbol)
    const mentions = new Set()
    const head = { name, ...this.#docOf(symbol), parents: [], mentions }
    const shown = { ...head, ...this.#body(node, symbol, mentions) }
    mentions.delete(name)
    return { ...shown, mentions: [...mentions] }
  }

  #body(node, symbol, mentions) {
    if (node.kind === SyntaxKind.FunctionDeclaration) return { kind: 'function', text: this.#signature(node, mentions) }
    if (node.kind === SyntaxKind.ClassDeclaration) return this.#classBody(node, mentions)
    if (node.kind === SyntaxKind.InterfaceDeclaration) return this.#fieldsOf(symbol, node, mentions)
    return this.#aliasBody(node, mentions)
  }

  #aliasBody({ type }, mentions) {
    const target = type.kind === SyntaxKind.TypeReference ? this.#ownSymbol(type.typeName) : undefined
    const targetNode = target && this.#declarationOf(target)
    if (targetNode?.kind === SyntaxKind.InterfaceDeclaration) return this.#fieldsOf(target, targetNode, mentions)
    if (type.kind === SyntaxKind.TypeLiteral) return { kind: 'fields', fields: this.#rows(type.members, '', mentions) }
    const elements = this.#elementsOf(type)
    if (elements !== undefined) return { kind: 'values', rows: elements }
    if (type.kind === SyntaxKind.UnionType) {
      const rows = commented(type.types).map(({ node, doc }) => ({ text: this.#text(node, mentions), doc }))
      const isValues = type.types.every((one) => one.kind === SyntaxKind.LiteralType)
      return { kind: isValues ? 'values' : 'variants', rows }
    }
    return { kind: 'text', text: this.#text(type, mentions) }
  }

  /** Of `(typeof KINDS)[number]`: the elements of the constant, each with the comment before it. */
  #elementsOf(type) {
    const query = type.kind === SyntaxKind.IndexedAccessType ? bare(type.objectType) : undefined
    if (query?.kind !== SyntaxKind.TypeQuery) return undefined
    const constant = this.#declarationOf(this.#ownSymbol(query.exprName))
    return commented(constant.initializer.expression.elements).map(({ node, doc }) => ({ text: node.getText(), doc }))
  }

  #classBody(node, mentions) {
    const [heritage] = node.heritageClauses?.flatMap((clause) => clause.types.map((one) => one.getText())) ?? []
    const parents = this.known.has(heritage) ? [{ name: heritage, without: [] }] : []
    if (parents.length > 0 || heritage === 'Error') {
      const code = /super\(\s*'([A-Z_]+)'/.exec(node.getText())?.[1]
      const properties = node.members.filter((member) => member.kind === SyntaxKind.PropertyDeclaration)
      return { kind: 'fields', code, parents, fields: this.#rows(properties, '', mentions) }
    }
    const rows = node.members.filter(isShown).flatMap((member) => {
      const doc = member.kind === SyntaxKind.Constructor ? this.#commentOf(member) : this.#docOf(this.#symbolOf(member))
      if (doc.internal) return []
      return [{ text: this.#memberText(member, node.name.text, mentions), ...doc }]
    })
    return { kind: 'class', rows }
  }

  #memberText(member, className, mentions) {
    if (member.kind === SyntaxKind.Constructor)
      return `new ${className}(${this.#parameters(member.parameters, mentions)})`
    if (member.kind === SyntaxKind.MethodDeclaration) return this.#signature(member, mentions).replace('function ', '')
    return `${member.name.getText()}: ${this.#text(member.type, mentions)}`
  }

  #signature(node, mentions) {
    const generics = node.typeParameters?.map((one) => one.getText()).join(', ')
    const name = `${node.name.getText()}${generics === undefined ? '' : `<${generics}>`}`
    return `function ${name}(${this.#parameters(node.parameters, mentions)}): ${this.#text(node.type, mentions, true)}`
  }

  #parameters(parameters, mentions) {
    const one = ({ name, type, questionToken, initializer }) =>
      `${name.getText()}${questionToken || initializer ? '?' : ''}: ${this.#text(type, mentions, true)}`
    return parameters.map(one).join(', ')
  }

  /** The fields of an interface, those of its parents included where the parents are not shown themselves. */
  #fieldsOf(symbol, node, mentions) {
    const properties = this.#checker.getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(symbol))
    const nodes = properties.flatMap((property) => this.#propertyNode(property) ?? [])
    const parentOf = (one) => this.#shownName(one.parent)
    const own = this.#shownName(node)
    const names = [...new Set(nodes.map(parentOf).filter((name) => name !== undefined && name !== own))]
    const shown = nodes.filter((one) => !names.includes(parentOf(one)))
    const has = new Set(properties.map((property) => property.name))
    const parents = names.map((name) => ({ name, without: this.#fieldNames(name).filter((field) => !has.has(field)) }))
    return { kind: 'fields', parents, fields: this.#rows(shown, '', mentions) }
  }

  #fieldNames(name) {
    return this.#checker
      .getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(this.known.get(name)))
      .map((one) => one.name)
  }

  /** The name under which an interface has a place on the page: its own, or that of the alias that exports it. */
  #shownName(node) {
    for (const [name, symbol] of this.known) {
      const declared = this.#declarationOf(symbol)
      if (declared === node) return name
      const alias = declared.kind === SyntaxKind.TypeAliasDeclaration ? declared.type : undefined
      if (alias?.kind !== SyntaxKind.TypeReference) continue
      const target = this.#ownSymbol(alias.typeName)
      if (target !== undefined && this.#declarationOf(target) === node) return name
    }
    return undefined
  }

  #rows(nodes, path, mentions) {
    return nodes.flatMap((node) => {
      const { internal, doc, standard } = this.#docOf(this.#symbolOf(node))
      if (internal) return []
      const name = `${path}${node.name.getText()}`
      const type =
        node.type === undefined || node.kind === SyntaxKind.MethodSignature
          ? this.#signature(node, mentions).replace(/^function \w+/, '')
          : this.#text(node.type, mentions)
      const row = { name: `${name}${isOptional(node) ? '?' : ''}`, type, doc, standard }
      return [row, ...(node.type === undefined ? [] : this.#inner(node.type, name, mentions))]
    })
  }

  /** The fields of an object that is written in place, in a list, in a record, or picked from another type. */
  #inner(type, path, mentions) {
    const one = bare(type)
    if (one.kind === SyntaxKind.TypeLiteral)
      return hasSentences(one) ? this.#rows(one.members, `${path}.`, mentions) : []
    if (one.kind === SyntaxKind.ArrayType) return this.#inner(one.elementType, `${path}[]`, mentions)
    if (one.kind === SyntaxKind.UnionType || one.kind === SyntaxKind.IntersectionType)
      return one.types.flatMap((part) => this.#inner(part, path, mentions))
    if (one.kind !== SyntaxKind.TypeReference) return []
    const name = one.typeName.getText()
    if (name === 'Record') return this.#inner(one.typeArguments[1], `${path}[…]`, mentions)
    if (name !== 'Pick') return []
    const properties = this.#checker.getPropertiesOfType(this.#checker.getTypeFromTypeNode(one))
    return this.#rows(
      properties.flatMap((property) => this.#propertyNode(property) ?? []),
      `${path}.`,
      mentions,
    )
  }

  /**
   * As written, on one line. An object written in place whose fields have sentences gets rows of its own, so here it is
   * only `object`, except in functions (`whole`); unions that have no name outside are written out.
   */
  #text(node, mentions, whole = false) {
    const one = bare(node)
    if (one.kind === SyntaxKind.TypeLiteral)
      return whole || !hasSentences(one) ? this.#literal(one, mentions) : 'object'
    if (one.kind === SyntaxKind.UnionType) return one.types.map((part) => this.#text(part, mentions, whole)).join(' | ')
    if (one.kind === SyntaxKind.IntersectionType)
      return one.types.map((part) => this.#text(part, mentions, whole)).join(' & ')
    if (one.kind === SyntaxKind.ArrayType) {
      const element = this.#text(one.elementType, mentions, whole)
      return /[|&]|=>/.test(element) ? `(${element})[]` : `${element}[]`
    }
    if (one.kind === SyntaxKind.IndexedAccessType) return this.#resolved(one, mentions)
    if (one.kind === SyntaxKind.FunctionType)
      return `(${this.#parameters(one.parameters, mentions)}) => ${this.#text(one.type, mentions, true)}`
    if (one.kind !== SyntaxKind.TypeReference) return clean(one.getText())
    return this.#reference(one, mentions)
  }

  #literal({ members }, mentions) {
    const field = (one) => `${one.name.getText()}${isOptional(one) ? '?' : ''}: ${this.#text(one.type, mentions, true)}`
    return `{ ${members.map(field).join(', ')} }`
  }

  #reference(node, mentions) {
    const name = node.typeName.getText()
    if (name === 'Pick') return 'object'
    if (COMPUTED.has(name)) return this.#computed(node)
    const given = node.typeArguments?.map((one) => this.#text(one, mentions)).join(', ')
    const whole = given === undefined ? name : `${name}<${given}>`
    const symbol = this.#ownSymbol(node.typeName)
    if (symbol === undefined || this.#opaque.has(name)) return whole
    const shown = this.#shownName(this.#declarationOf(symbol))
    if (shown !== undefined) {
      mentions.add(shown)
      return whole
    }
    return this.#unnamed(symbol, name, whole, mentions)
  }

  #computed(node) {
    const text = clean(this.#checker.typeToString(this.#checker.getTypeFromTypeNode(node))).replaceAll('"', "'")
    return /^Readonly<(.*)>$/.exec(text)?.[1] ?? text
  }

  /** A type that the package does not export: written out where it is short, else shown beside what refers to it. */
  #unnamed(symbol, name, whole, mentions) {
    const declared = this.#declarationOf(symbol)
    if (declared.kind === SyntaxKind.TypeParameter) return whole
    const type = declared.kind === SyntaxKind.TypeAliasDeclaration ? declared.type : undefined
    if (type?.kind === SyntaxKind.MappedType) return this.#mapped(type, symbol, mentions)
    if (type !== undefined && declared.typeParameters === undefined && type.kind !== SyntaxKind.TypeLiteral)
      return (
        this.#elementsOf(type)
          ?.map(({ text }) => text)
          .join(' | ') ?? this.#text(type, mentions)
      )
    this.known.set(name, symbol)
    mentions.add(name)
    return whole
  }

  #mapped(type, symbol, mentions) {
    const properties = this.#checker.getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(symbol))
    return `{ ${properties.map(({ name }) => `${name}?`).join(', ')}: ${this.#text(type.type, mentions)} }`
  }

  #resolved(node, mentions) {
    const symbol = this.#checker.getTypeFromTypeNode(node).getSymbol()
    const declared = symbol && this.#declarationOf(symbol)
    if (declared?.kind !== SyntaxKind.InterfaceDeclaration) return clean(node.getText())
    const shown = this.#shownName(declared) ?? symbol.name
    if (!this.known.has(shown)) this.known.set(shown, symbol)
    mentions.add(shown)
    return shown
  }

  #docOf(symbol) {
    const tags = symbol.getJsDocTags(this.#checker)
    const text = (name) => tags.filter((tag) => tag.name === name).map((tag) => (tag.text ?? '').trim())
    return {
      doc: joined(symbol.getDocumentationComment(this.#checker)),
      standard: text('default')[0],
      examples: text('example'),
      internal: tags.some((tag) => tag.name === 'internal'),
    }
  }

  /** A constructor has no symbol of its own. */
  #commentOf(node) {
    const text = node.getSourceFile().text.slice(node.pos, node.getStart())
    return { doc: plain(text), examples: [], internal: text.includes('@internal') }
  }

  #symbolOf(node) {
    return this.#checker.getSymbolAtLocation(node.name)
  }

  /** Undefined for what a caller does not write, such as `[Symbol.asyncIterator]`. */
  #propertyNode(property) {
    const node = property.declarations[0]?.resolve(this.#project)
    return node?.name?.kind === SyntaxKind.Identifier && this.#isOurs(node) ? node : undefined
  }

  #declarationOf(symbol) {
    return (symbol.valueDeclaration ?? symbol.declarations[0])?.resolve(this.#project)
  }

  /** What a name stands for; undefined for a type of the language or of node. */
  #ownSymbol(name) {
    const symbol = this.#checker.getSymbolAtLocation(name)
    const real = symbol?.flags & SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol
    const node = real && this.#declarationOf(real)
    return node !== undefined && this.#isOurs(node) ? real : undefined
  }

  #isOurs(node) {
    return node.getSourceFile().fileName.startsWith(this.#folder)
  }
}

/** Types of the language that say less than what they come to. */
const COMPUTED = new Set(['Extract', 'Exclude', 'NonNullable'])

const isShown = (member) => member.name === undefined || member.name.kind === SyntaxKind.Identifier

const hasSentences = (literal) => literal.members.some((one) => one.jsDoc !== undefined)
const isOptional = (member) => member.postfixToken?.kind === SyntaxKind.QuestionToken

/** Without `readonly`, `Readonly<…>` and brackets around it. */
function bare(node) {
  if (node.kind === SyntaxKind.ParenthesizedType) return bare(node.type)
  if (node.kind === SyntaxKind.TypeOperator && node.operator === SyntaxKind.ReadonlyKeyword) return bare(node.type)
  if (node.kind === SyntaxKind.TypeReference && node.typeName.getText() === 'Readonly')
    return bare(node.typeArguments[0])
  return node
}

/** The nodes of a list, each with the doc comment before it. */
function commented(nodes) {
  const { text } = nodes[0].getSourceFile()
  return nodes.map((node, index) => {
    const from = index === 0 ? node.pos : nodes[index - 1].end
    // The comment of the first member of a union stands before its bar.
    const before = text.slice(index === 0 ? text.lastIndexOf('=', node.getStart()) : from, node.getStart())
    return { node, doc: plain(before) }
  })
}

const clean = (text) =>
  text
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .replaceAll('readonly ', '')
    .replace(/\s+/g, ' ')
    .trim()

/** The text of the last doc comment in a piece of source. */
function plain(source) {
  const comment = /\/\*\*([\s\S]*?)\*\/(?![\s\S]*\/\*\*)/.exec(source)?.[1] ?? ''
  return joined(comment.replace(/^\s*\* ?/gm, ''))
}

const joined = (text) => text.replace(/\s+/g, ' ').trim()
