//! Documents that attack a reader, and what a writer has to carry.

use crate::support::NASTY;
use sekisho_protocol::Error;
use sekisho_protocol::error::{LimitExceeded, Malformed, Unsupported};
use sekisho_protocol::limits::{XML_ATTRIBUTES, XML_DEPTH, XML_DOCUMENT, XML_ELEMENTS};
use sekisho_protocol::xml::{Namespace, Writer, parse};

fn refused(document: &str) -> Error {
    parse(document.as_bytes()).unwrap_err()
}

#[test]
fn a_document_type_is_refused() {
    let bomb = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;'>]><a>&y;</a>";
    assert_eq!(refused(bomb), Unsupported::Dtd.into());
    assert_eq!(refused("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), Unsupported::Dtd.into());
    assert_eq!(refused("<a/><!DOCTYPE a>"), Unsupported::Dtd.into());
}

#[test]
fn entities_are_refused_wherever_they_stand() {
    assert_eq!(refused("<a>&x;</a>"), Unsupported::Entity.into());
    assert_eq!(refused("<a b='&x;'/>"), Unsupported::Entity.into());
    assert_eq!(refused("<a xmlns='&x;'/>"), Unsupported::Entity.into());
    assert_eq!(refused("<a>&LT;</a>"), Unsupported::Entity.into());
}

#[test]
fn processing_instructions_are_refused() {
    assert_eq!(refused("<?php x?><a/>"), Unsupported::ProcessingInstruction.into());
    assert_eq!(refused("<a><?x y?></a>"), Unsupported::ProcessingInstruction.into());
}

#[test]
fn the_declaration_stands_first_alone() {
    assert!(parse(b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a/>").is_ok());
    assert_eq!(refused("<a/><?xml version='1.0'?>"), Malformed::Xml.into());
    assert_eq!(refused(" <?xml version='1.0'?><a/>"), Malformed::Xml.into());
    assert_eq!(refused("<?xml version='1.0' encoding='EBCDIC'?><a/>"), Malformed::XmlEncoding.into());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(parse(nested(XML_DEPTH).as_bytes()).is_ok());
    assert_eq!(refused(&nested(XML_DEPTH + 1)), LimitExceeded::XmlDepth.into());
    assert_eq!(refused(&nested(100_000)), LimitExceeded::XmlDepth.into());
}

#[test]
fn elements_are_bounded() {
    let many = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count));
    assert!(parse(many(XML_ELEMENTS - 1).as_bytes()).is_ok());
    assert_eq!(refused(&many(XML_ELEMENTS)), LimitExceeded::XmlElements.into());
}

#[test]
fn attributes_and_declarations_are_bounded() {
    let with = |count: usize, name: &str| {
        let attributes: String = (0..count).map(|n| format!(" {name}{n}='u'")).collect();
        format!("<a{attributes}/>")
    };
    assert!(parse(with(XML_ATTRIBUTES, "b").as_bytes()).is_ok());
    for name in ["b", "xmlns:b"] {
        assert_eq!(refused(&with(XML_ATTRIBUTES + 1, name)), LimitExceeded::XmlAttributes.into());
        assert_eq!(refused(&with(60_000, name)), LimitExceeded::XmlAttributes.into());
    }
    let element = with(XML_ATTRIBUTES, "b");
    let everywhere = format!("<r>{}</r>", element.repeat(2000));
    assert_eq!(refused(&everywhere), LimitExceeded::XmlAttributes.into());
}

#[test]
fn prefixes_in_scope_are_bounded() {
    let level = |depth: usize| -> String { (0..8).map(|n| format!(" xmlns:p{depth}-{n}='u'")).collect() };
    let nested = |levels: usize| {
        let start: String = (0..levels).map(|depth| format!("<a{}>", level(depth))).collect();
        format!("{start}{}", "</a>".repeat(levels))
    };
    assert!(parse(nested(16).as_bytes()).is_ok());
    assert_eq!(refused(&nested(17)), LimitExceeded::XmlAttributes.into());
    // What is out of scope does not count.
    assert!(parse(format!("<r>{}</r>", nested(1).repeat(100)).as_bytes()).is_ok());
}

#[test]
fn size_is_bounded_in_every_encoding() {
    let large = format!("<a>{}</a>", "x".repeat(XML_DOCUMENT));
    assert_eq!(refused(&large), LimitExceeded::MessageSize.into());
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(large.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(parse(&utf16).unwrap_err(), LimitExceeded::MessageSize.into());
    let grows = format!("<a>{}</a>", "語".repeat(XML_DOCUMENT / 2));
    let utf16: Vec<u8> = grows.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(parse(&utf16).unwrap_err(), LimitExceeded::MessageSize.into());
}

#[test]
fn ill_formed_documents_are_refused() {
    for document in [
        "",
        " ",
        "<",
        "<a",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a/>&#65;",
        "<a/><![CDATA[x]]>",
        "<a b/>",
        "<a b=c/>",
        "<a b='c'b='d'/>",
        "<a b='<'/>",
        "<a b='&'/>",
        "<a>&</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&#+65;</a>",
        "<a><!-- -- --></a>",
        "<1/>",
        "<:a/>",
        "<a:/>",
        "<a:b:c/>",
        "<a><![CDATA[x</a>",
        "<a><!-- x</a>",
        "< a/>",
    ] {
        assert!(parse(document.as_bytes()).is_err(), "{document}");
    }
}

#[test]
fn characters_that_xml_cannot_carry_are_refused() {
    for text in
        ["\0", "\u{1}", "\u{B}", "\u{1F}", "\u{FFFE}", "\u{FFFF}", "&#0;", "&#1;", "&#xFFFF;", "&#xD800;", "&#x110000;"]
    {
        assert_eq!(refused(&format!("<a>{text}</a>")), Malformed::XmlCharacter.into(), "{text:?}");
    }
    assert!(parse(b"<a>\xFF</a>").is_err());
    assert!(parse(b"<a>\xED\xA0\x80</a>").is_err());
}

#[test]
fn neighbours_of_what_xml_cannot_carry_are_read() {
    let text = "\t\n ~\u{7F}\u{D7FF}\u{E000}\u{F8FF}\u{FEFF}\u{FFFD}\u{10000}\u{10FFFF}";
    assert_eq!(parse(format!("<a>{text}</a>").as_bytes()).unwrap().text(), Ok(text));
}

#[test]
fn bytes_are_written_in_base64() {
    for (bytes, text) in [(&b""[..], ""), (b"\0", "AA=="), (b"ab<>&\"'\r\n", "YWI8PiYiJw0K")] {
        let mut writer = Writer::default();
        writer.start("a").base64(bytes);
        assert_eq!(writer.finish().unwrap(), format!("<a>{text}</a>"));
    }
}

#[test]
fn prefixes_have_to_be_declared() {
    for document in [
        "<p:a/>",
        "<a p:b='c'/>",
        "<a><b xmlns:p='u'/><p:c/></a>",
        "<a xmlns:p=''/>",
        "<a xmlns:xmlns='u'/>",
        "<a xmlns:='u'/>",
        "<a xmlns:xml='u'/>",
    ] {
        assert_eq!(refused(document), Malformed::XmlPrefix.into(), "{document}");
    }
}

#[test]
fn names_are_resolved_whatever_the_prefix_is() {
    let soap = Namespace::Soap.uri();
    for document in [
        format!("<s:a xmlns:s='{soap}' s:b='c'/>"),
        format!("<q:a q:b='c' xmlns:q=\"{soap}\"/>"),
        format!("<a xmlns='{soap}' xmlns:z='{soap}' z:b='c'/>"),
    ] {
        let element = parse(document.as_bytes()).unwrap();
        assert!(element.is(Namespace::Soap, "a"));
        assert_eq!(element.attribute(Namespace::Soap, "b"), Some("c"));
        assert_eq!(element.attribute(Namespace::None, "b"), None);
    }
    // A prefix means what the nearest declaration says.
    let shadowed = format!("<s:a xmlns:s='{soap}'><s:b xmlns:s='urn:x'/><s:c/></s:a>");
    let element = parse(shadowed.as_bytes()).unwrap();
    assert!(element.children()[0].is(Namespace::Other, "b"));
    assert!(element.children()[1].is(Namespace::Soap, "c"));
    let undeclared = format!("<a xmlns='{soap}'><b xmlns=''/></a>");
    assert!(parse(undeclared.as_bytes()).unwrap().children()[0].is(Namespace::None, "b"));
}

#[test]
fn duplicate_attributes_are_refused() {
    let soap = Namespace::Soap.uri();
    for document in [
        "<a b='1' b='2'/>".to_owned(),
        "<a xmlns='u' xmlns='u'/>".to_owned(),
        "<a xmlns:p='u' xmlns:p='v'/>".to_owned(),
        format!("<a xmlns:p='{soap}' xmlns:q='{soap}' p:b='1' q:b='2'/>"),
    ] {
        assert_eq!(refused(&document), Malformed::Duplicate.into(), "{document}");
    }
}

#[test]
fn text_is_read_as_xml_says() {
    let element =
        parse(b"<a b=' x\r\n\ty&#10;&lt;'>1\r\n2\r3&#13;<![CDATA[<&]]>&amp;&#x1F600;<!-- no --></a>").unwrap();
    assert_eq!(element.attribute(Namespace::None, "b"), Some(" x  y\n<"));
    assert_eq!(element.text().unwrap(), "1\n2\n3\r<&&\u{1F600}");
    let mixed = parse(b"<a>1<b>2</b>3</a>").unwrap();
    assert!(mixed.text().is_err());
    assert_eq!(mixed.one(Namespace::None, "b").unwrap().unwrap().text().unwrap(), "2");
    assert!(parse(b"<a><b/><b/></a>").unwrap().one(Namespace::None, "b").is_err());
}

#[test]
fn utf_16_is_read_with_and_without_mark() {
    let text = "<a>é\u{1F600}</a>";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = |mark: [u8; 2], bytes: &[u8]| mark.iter().chain(bytes).copied().collect::<Vec<u8>>();
    for document in [
        marked([0xFF, 0xFE], &little),
        marked([0xFE, 0xFF], &big),
        little.clone(),
        big,
        b"\xEF\xBB\xBF<a>\xC3\xA9\xF0\x9F\x98\x80</a>".to_vec(),
    ] {
        assert_eq!(parse(&document).unwrap().text().unwrap(), "é\u{1F600}");
    }
    assert_eq!(parse(&little[..little.len() - 1]).unwrap_err(), Malformed::XmlEncoding.into());
    let lone: Vec<u8> = [0x3C, 0xD800_u16].into_iter().flat_map(u16::to_le_bytes).collect();
    assert_eq!(parse(&lone).unwrap_err(), Malformed::XmlEncoding.into());
}

#[test]
fn nasty_text_survives() {
    let mut writer = Writer::default();
    writer.start("a").attribute("b", NASTY).text(NASTY);
    let element = parse(writer.finish().unwrap().as_bytes()).unwrap();
    assert_eq!(element.attribute(Namespace::None, "b"), Some(NASTY));
    assert_eq!(element.text().unwrap(), NASTY);
}

#[test]
fn what_cannot_be_carried_is_refused_or_replaced() {
    for text in ["\0", "\u{8}", "\u{1B}[0m", "\u{FFFE}"] {
        let mut strict = Writer::default();
        strict.start("a").attribute("b", text);
        assert_eq!(strict.finish(), Err(Malformed::XmlCharacter.into()));
        let mut lenient = Writer::default();
        lenient.leaf("a", text);
        let written = lenient.finish_replaced();
        assert!(parse(written.as_bytes()).unwrap().text().unwrap().starts_with('\u{FFFD}'));
    }
}

#[test]
fn debug_shows_no_text() {
    let element = parse(b"<a b='hunter2'>hunter2</a>").unwrap();
    assert!(!format!("{element:?}").contains("hunter2"));
}
