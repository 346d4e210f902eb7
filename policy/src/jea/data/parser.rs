//! The grammar of a data file: one hashtable of constants.

use std::collections::HashSet;

use super::cursor::{Cursor, is_blank, is_double_quote, is_line_end, is_single_quote};
use super::{DataMistake, Entry, Node, Place, Table, Value, number, script, text};
use crate::fold::fold;
use crate::limits;
use crate::source_text::shown;

/// Reads a whole data file.
pub(crate) fn parse(text: &str) -> Result<Table, DataMistake> {
    let mut parser = Parser { cursor: Cursor::new(text), depth: 0 };
    parser.skip_separators()?;
    let place = parser.cursor.place();
    if !(parser.cursor.eat('@') && parser.cursor.eat('{')) {
        let hint = "begin it with `@{` and close it with `}`; no statement stands before or after";
        return Err(DataMistake::new(place, "a data file is one hashtable", hint));
    }
    let table = parser.table(place)?;
    parser.skip_separators()?;
    match parser.cursor.peek() {
        None => Ok(table),
        Some(_) => Err(DataMistake::new(
            parser.cursor.place(),
            "something follows the hashtable",
            "a data file is one hashtable and nothing else; no code is run",
        )),
    }
}

struct Parser<'t> {
    cursor: Cursor<'t>,
    depth: usize,
}

impl Parser<'_> {
    /// Blanks, comments and continued lines.
    fn skip_blanks(&mut self) -> Result<(), DataMistake> {
        loop {
            match (self.cursor.peek(), self.cursor.second()) {
                (Some(blank), _) if is_blank(blank) => {
                    self.cursor.next();
                }
                (Some('#'), _) => self.cursor.skip_line(),
                (Some('<'), Some('#')) => script::skip_block_comment(&mut self.cursor)?,
                (Some('`'), Some(end)) if is_line_end(end) => {
                    self.cursor.next();
                    self.cursor.eat_line_end();
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_blanks_and_lines(&mut self) -> Result<(), DataMistake> {
        loop {
            self.skip_blanks()?;
            if !self.cursor.eat_line_end() {
                return Ok(());
            }
        }
    }

    /// What may stand between statements.
    fn skip_separators(&mut self) -> Result<(), DataMistake> {
        loop {
            self.skip_blanks_and_lines()?;
            if !self.cursor.eat(';') {
                return Ok(());
            }
        }
    }

    /// Goes one level down for as long as `inner` reads.
    fn deeper<T>(
        &mut self,
        place: Place,
        inner: impl FnOnce(&mut Self) -> Result<T, DataMistake>,
    ) -> Result<T, DataMistake> {
        if self.depth >= limits::DATA_DEPTH {
            let message = format!("more than {} levels of brackets", limits::DATA_DEPTH);
            return Err(DataMistake::new(place, message, "no field of a JEA file is nested that deep"));
        }
        self.depth = self.depth.saturating_add(1);
        let result = inner(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    /// The rest of a hashtable that was opened at this place.
    fn table(&mut self, opened: Place) -> Result<Table, DataMistake> {
        self.deeper(opened, |parser| {
            let mut entries = Vec::new();
            let mut seen = HashSet::new();
            // No `;` may come before the first entry.
            parser.skip_blanks_and_lines()?;
            loop {
                match parser.cursor.peek() {
                    Some('}') => {
                        parser.cursor.next();
                        return Ok(Table(entries));
                    }
                    None => return Err(unclosed(opened, "}")),
                    Some(_) => {}
                }
                let entry = parser.entry()?;
                if !seen.insert(fold(&entry.key)) {
                    let message = format!("the name `{}` stands twice in one hashtable", shown(&entry.key));
                    return Err(DataMistake::new(entry.place, message, "put both values into one list, or remove one"));
                }
                within_limit(&entries, entry.place)?;
                entries.push(entry);
                parser.statement_ends('}')?;
                parser.skip_separators()?;
            }
        })
    }

    fn entry(&mut self) -> Result<Entry, DataMistake> {
        let place = self.cursor.place();
        let key = self.key()?;
        self.skip_blanks()?;
        let here = self.cursor.place();
        if !self.cursor.eat('=') {
            return Err(DataMistake::new(
                here,
                "a name without `=`",
                "write name = value; names with a dash in quotes",
            ));
        }
        self.skip_blanks_and_lines()?;
        let node = self.value()?;
        Ok(Entry { key, place, node })
    }

    fn key(&mut self) -> Result<String, DataMistake> {
        let place = self.cursor.place();
        match self.cursor.peek() {
            Some(quote) if is_single_quote(quote) => text::single(&mut self.cursor),
            Some(quote) if is_double_quote(quote) => text::double(&mut self.cursor),
            Some(first) if first.is_ascii_alphabetic() || first == '_' => Ok(self.word()),
            Some(_) | None => {
                let hint = "write a name of letters and digits, or one in quotes";
                Err(DataMistake::new(place, "no name where a hashtable needs one", hint))
            }
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(letter) = self.cursor.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            word.push(letter);
            self.cursor.next();
        }
        word
    }

    /// After a value only the end of its statement may come.
    fn statement_ends(&mut self, closing: char) -> Result<(), DataMistake> {
        self.skip_blanks()?;
        match self.cursor.peek() {
            None | Some(';') => Ok(()),
            Some(next) if next == closing || is_line_end(next) => Ok(()),
            Some(_) => Err(self.dynamic("something follows the value on its line")),
        }
    }

    /// One element, or several with commas between.
    fn value(&mut self) -> Result<Node, DataMistake> {
        let first = self.element()?;
        let place = first.place;
        let mut items = vec![first];
        self.skip_blanks()?;
        while self.cursor.eat(',') {
            self.skip_blanks_and_lines()?;
            within_limit(&items, self.cursor.place())?;
            items.push(self.element()?);
            self.skip_blanks()?;
        }
        match (items.pop(), items.is_empty()) {
            (Some(only), true) => Ok(only),
            (last, _) => {
                items.extend(last);
                Ok(Node { place, value: Value::List(items) })
            }
        }
    }

    fn element(&mut self) -> Result<Node, DataMistake> {
        let place = self.cursor.place();
        let value = match (self.cursor.peek(), self.cursor.second()) {
            (Some(quote), _) if is_single_quote(quote) => Value::Text(text::single(&mut self.cursor)?),
            (Some(quote), _) if is_double_quote(quote) => Value::Text(text::double(&mut self.cursor)?),
            (Some('@'), Some('{')) => {
                self.skip(2);
                Value::Table(self.table(place)?)
            }
            (Some('@'), Some('(')) => {
                self.skip(2);
                Value::List(self.items(place)?)
            }
            (Some('@'), Some(_)) if text::opens_here(&self.cursor) => Value::Text(text::here(&mut self.cursor)?),
            (Some('$'), _) => self.constant()?,
            (Some('{'), _) => Value::Script(script::block(&mut self.cursor)?),
            (Some('('), _) => {
                self.skip(1);
                self.parenthesised(place)?
            }
            (Some(digit), _) if digit.is_ascii_digit() => self.number()?,
            (Some('-'), Some(digit)) if digit.is_ascii_digit() => self.number()?,
            _ => return Err(self.dynamic("a value is missing, or is none")),
        };
        Ok(Node { place, value })
    }

    fn skip(&mut self, characters: usize) {
        for _ in 0..characters {
            self.cursor.next();
        }
    }

    /// `$true`, `$false` and `$null`; no other variable has a value here.
    fn constant(&mut self) -> Result<Value, DataMistake> {
        let start = self.cursor.clone();
        self.cursor.next();
        let value = match self.word().to_ascii_lowercase().as_str() {
            "true" => Value::Switch(true),
            "false" => Value::Switch(false),
            "null" => Value::Null,
            _ => {
                self.cursor = start;
                return Err(self.dynamic("a variable"));
            }
        };
        self.token_ends()?;
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, DataMistake> {
        let start = self.cursor.clone();
        let mut token = String::new();
        while let Some(c) = self.cursor.peek().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')) {
            token.push(c);
            self.cursor.next();
        }
        if !number::is_number(&token) {
            self.cursor = start;
            return Err(self.dynamic("a word that begins with a digit"));
        }
        self.token_ends()?;
        Ok(Value::Number(token))
    }

    /// Refuses what is glued to a word or number, for instance `$true.x` and `1+1`.
    fn token_ends(&mut self) -> Result<(), DataMistake> {
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '}' | ')');
        match self.cursor.peek() {
            Some(next) if !ends(next) => Err(self.dynamic("something follows the value at once")),
            Some(_) | None => Ok(()),
        }
    }

    /// The rest of `( … )`.
    fn parenthesised(&mut self, opened: Place) -> Result<Value, DataMistake> {
        self.deeper(opened, |parser| {
            parser.skip_blanks_and_lines()?;
            let inner = parser.value()?;
            parser.skip_blanks_and_lines()?;
            if parser.cursor.eat(')') {
                return Ok(inner.value);
            }
            Err(if parser.cursor.peek().is_none() {
                unclosed(opened, ")")
            } else {
                parser.dynamic("something follows the value within the parentheses")
            })
        })
    }

    /// The rest of `@( … )`. Lists that stand in it as a statement of their own give their items to it.
    fn items(&mut self, opened: Place) -> Result<Vec<Node>, DataMistake> {
        self.deeper(opened, |parser| {
            let mut items: Vec<Node> = Vec::new();
            loop {
                parser.skip_separators()?;
                match parser.cursor.peek() {
                    Some(')') => {
                        parser.cursor.next();
                        return Ok(items);
                    }
                    None => return Err(unclosed(opened, ")")),
                    Some(_) => {}
                }
                within_limit(&items, parser.cursor.place())?;
                let node = parser.value()?;
                match node.value {
                    Value::List(inner) => items.extend(inner),
                    Value::Text(_)
                    | Value::Number(_)
                    | Value::Switch(_)
                    | Value::Null
                    | Value::Table(_)
                    | Value::Script(_) => items.push(node),
                }
                parser.statement_ends(')')?;
            }
        })
    }

    /// Says what stands here that is no constant.
    fn dynamic(&self, otherwise: &str) -> DataMistake {
        let (message, hint) = match self.cursor.peek() {
            None => ("the file ends within a value", "close what was opened"),
            Some('$') => ("a variable or an expression", "only $true, $false and $null have a value in a data file"),
            Some('[') => ("a type, a cast or an index", "write the value itself"),
            Some('&') => ("a call", "no code is run: write the value itself"),
            Some('|') => ("a pipeline", "no code is run: write the value itself"),
            Some('@') => ("a splatted variable", "write the value itself"),
            Some(',') => ("a comma without a value before it", "remove it, or write the value"),
            Some('+' | '-' | '*' | '/' | '%' | '.' | '!' | '=') => {
                ("an operator", "no code is run: write the result itself")
            }
            Some(word) if word.is_alphabetic() => ("a word without quotes, which is a command", "put it in quotes"),
            Some(_) => (otherwise, "write texts in quotes, numbers, $true, $false, lists and hashtables only"),
        };
        DataMistake::new(self.cursor.place(), message, hint)
    }
}

fn unclosed(opened: Place, closing: &str) -> DataMistake {
    DataMistake::new(opened, "a bracket that is never closed", format!("close it with `{closing}`"))
}

fn within_limit<T>(items: &[T], place: Place) -> Result<(), DataMistake> {
    if items.len() < limits::LIST {
        return Ok(());
    }
    Err(DataMistake::new(place, format!("more than {} entries in one list", limits::LIST), "split the file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value in one line, to compare.
    fn compact(value: &Value) -> String {
        match value {
            Value::Text(text) => format!("{text:?}"),
            Value::Number(token) => token.clone(),
            Value::Switch(on) => on.to_string(),
            Value::Null => "null".to_owned(),
            Value::List(items) => {
                format!("[{}]", items.iter().map(|item| compact(&item.value)).collect::<Vec<_>>().join(","))
            }
            Value::Table(table) => {
                let entries = table.0.iter().map(|entry| format!("{}={}", entry.key, compact(&entry.node.value)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
            Value::Script(text) => format!("script({text:?})"),
        }
    }

    fn value_of(text: &str) -> String {
        match parse(&format!("@{{ v = {text} }}")) {
            Ok(table) => compact(&table.get("V").unwrap().node.value),
            Err(mistake) => format!("{}:{} {}", mistake.place.line, mistake.place.column, mistake.message),
        }
    }

    #[test]
    fn constants_of_every_kind_are_read() {
        for (text, value) in [
            ("'a'", r#""a""#),
            ("-12", "-12"),
            ("50MB", "50MB"),
            ("$TRUE", "true"),
            ("$False", "false"),
            ("$null", "null"),
            ("'a', \"b\" ,\n 'c'", r#"["a","b","c"]"#),
            ("'a', # why\n <# and\n how #> 'b'", r#"["a","b"]"#),
            ("@()", "[]"),
            ("@( 'a'\n'b'; 'c','d' )", r#"["a","b","c","d"]"#),
            ("@( @('a','b') )", r#"["a","b"]"#),
            ("@( @('a','b'),'c' )", r#"[["a","b"],"c"]"#),
            ("@( $null )", "[null]"),
            ("('a','b')", r#"["a","b"]"#),
            ("( 'a'\n)", r#""a""#),
            ("'a',@('b')", r#"["a",["b"]]"#),
            ("@{ }", "{}"),
            ("@{ a = 1; 'b c' = @{ D = 2 }\n\n e = 3; }", "{a=1,b c={D=2},e=3}"),
            ("\n @'\nx\n'@", r#""x""#),
            ("`\r\n 'a'", r#""a""#),
            ("{ 'Dynamic' + \"}$(')')\" # }\n}", r#"script(" 'Dynamic' + \"}$(')')\" # }\n")"#),
        ] {
            assert_eq!(value_of(text), value, "{text}");
        }
    }

    #[test]
    fn nothing_that_would_have_to_run_is_read() {
        for (text, place) in [
            ("Get-Date", "1:8 a word without quotes"),
            ("(Get-Date)", "1:9 a word without quotes"),
            ("$x", "1:8 a variable"),
            ("$env:x", "1:8 a variable"),
            ("$true.x", "1:13 an operator"),
            ("$(1)", "1:8 a variable"),
            ("\"a$b\"", "1:10 a `$` in double quotes"),
            ("'a' + 'b'", "1:12 an operator"),
            ("'a' -join 'b'", "1:12 an operator"),
            ("'a'.Length", "1:11 an operator"),
            ("'a'[0]", "1:11 a type, a cast or an index"),
            ("'a' | x", "1:12 a pipeline"),
            ("'a' 'b'", "1:12 something follows the value"),
            ("'a'b", "1:11 a word without quotes"),
            ("1+1", "1:9 an operator"),
            ("1..3", "1:8 a word that begins with a digit"),
            ("1kx", "1:8 a word that begins with a digit"),
            ("[int]1", "1:8 a type"),
            ("& { 1 }", "1:8 a call"),
            (". { 1 }", "1:8 an operator"),
            ("@x", "1:8 a splatted variable"),
            ("@'a'@", "1:8 a splatted variable"),
            (",'a'", "1:8 a comma without"),
            ("'a',", "1:13 a value is missing"),
            ("!$true", "1:8 an operator"),
            ("-'a'", "1:8 an operator"),
            ("if ($true) { 1 }", "1:8 a word without quotes"),
            ("('a'", "1:13 something follows the value within"),
            ("('a';'b')", "1:12 something follows"),
            ("", "1:9 a value is missing"),
            ("> 'x'", "1:8 a value is missing"),
            ("'a' > 'x'", "1:12 something follows the value"),
            ("@{ a }", "1:13 a name without `=`"),
            ("@{ a-b = 1 }", "1:12 a name without `=`"),
            ("@{ $a = 1 }", "1:11 no name"),
            ("@{ (1) = 1 }", "1:11 no name"),
            ("@{ a = 1; A = 2 }", "1:18 the name `A` stands twice"),
            ("@{ a == 1 }", "1:14 an operator"),
            ("@{ a += 1 }", "1:13 a name without `=`"),
            ("{ --% x }", "1:10 verbatim"),
        ] {
            let found = value_of(text);
            assert!(found.starts_with(place), "{text}: {found}");
        }
    }

    #[test]
    fn a_file_is_one_hashtable_and_nothing_else() {
        for (text, place) in [
            ("", "1:1 a data file is one hashtable"),
            ("\n 'a'", "2:2 a data file is one hashtable"),
            ("param($x) @{}", "1:1 a data file is one hashtable"),
            ("@{}; Get-Date", "1:6 something follows the hashtable"),
            ("@{}.x", "1:4 something follows the hashtable"),
            ("@{} @{}", "1:5 something follows the hashtable"),
            ("@{", "1:1 a bracket that is never closed"),
            ("@{ a = @(\n'b'", "1:8 a bracket that is never closed"),
            ("@{ a = 'b", "1:8 a text that does not end"),
            ("<# a", "1:1 a comment that does not end"),
            ("@{ a = { b", "1:8 a script block that does not end"),
        ] {
            let found = parse(text).unwrap_err();
            let found = format!("{}:{} {}", found.place.line, found.place.column, found.message);
            assert!(found.starts_with(place), "{text}: {found}");
        }
        for good in ["@{}", " # x\n<# y #>\n@{}\n# SIG # Begin signature block\n", "@{};\n", "\u{A0}@{}\u{3000}"] {
            assert!(parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        for open in ["@{a=", "@(", "("] {
            let found = parse(&format!("@{{a={}", open.repeat(100_000))).unwrap_err();
            assert!(found.message.contains("levels of brackets"), "{open}: {}", found.message);
        }
        let deep = format!("@{{a={}{}}}", "@(".repeat(limits::DATA_DEPTH - 1), ")".repeat(limits::DATA_DEPTH - 1));
        assert!(parse(&deep).is_ok());
        let long = format!("@{{a={}1}}", "1,".repeat(limits::LIST));
        assert!(parse(&long).unwrap_err().message.contains("entries in one list"));
        let scripts = format!("@{{a={}", "{".repeat(100_000));
        assert!(parse(&scripts).is_err());
    }
}
