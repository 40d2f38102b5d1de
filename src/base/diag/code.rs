//! The register of codes. A number is given once and never used again.

use super::Severity;

macro_rules! codes {
    ($($number:ident $name:ident $title:literal,)*) => {
        /// What kind of mistake. Its number (`E0103`) is stable over versions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// `E0103`: `E` for what is an error by itself, `W` for a doubt.
            pub fn number(self) -> &'static str {
                match self { $(Code::$name => stringify!($number),)* }
            }

            /// The kind of mistake in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }

            /// Its page: what it means, an example that fails, the same mended.
            pub fn page(self) -> &'static str {
                match self { $(Code::$name => include_str!(concat!("explain/", stringify!($number), ".md")),)* }
            }
        }
    };
}

codes! {
    // ---- text
    E0001 Unreadable "a statement cannot be read",
    E0002 Unclosed "a bracket, a block or a text is not closed",
    E0003 TooDeep "the text is nested too deeply",
    E0004 BadLiteral "a literal or an escape is not one the language has",
    E0005 Misplaced "a statement stands where it cannot stand",
    E0006 Edition "the edition is missing or unknown",
    E0007 ReservedWord "a reserved word is used as a name",
    E0008 BadTemplate "a `{` in a text has no readable expression",
    E0009 TooLarge "the file is too large",
    E0010 NeedsBrackets "two operators need brackets beside each other",
    // ---- names, items, files
    E0101 UnknownName "a name is not known here",
    E0102 AmbiguousName "a name could be two things",
    E0103 UnknownSourceField "the source has no such field",
    E0104 UnknownObject "the connection has no such object",
    E0105 UnknownConnection "the project has no such connection",
    E0106 UnknownFunction "there is no such function",
    E0107 DuplicateItem "two things have the same name",
    E0108 ImportClash "two files give the same name",
    E0109 FileNotFound "a named file does not exist",
    E0110 ImportCycle "files use each other in a circle",
    E0111 OverrideOfNothing "the base no longer has what is overridden",
    E0112 RemoveOfNothing "the base no longer has what is removed",
    E0113 Recursion "a function calls itself",
    E0114 UnknownWrite "a follow-up or an expectation names something that does not exist",
    E0115 UnknownUnit "a unit is not known",
    E0116 OverlayOutside "`override` and `remove` need an `extends`",
    E0117 OverlayClash "the base already has an item of this name",
    E0118 UnknownArgument "a function has no such argument",
    E0119 Multiplies "the mapping expands beyond a limit",
    // ---- types and values
    E0201 TypeMismatch "a value has the wrong type",
    E0202 MayBeMissing "a value that may be missing is used where one is required",
    E0203 RequiredFieldUnset "a required field is not set",
    E0204 UnknownTargetField "the target has no such field",
    E0205 NotWritable "this field cannot be written",
    E0206 NotInEnumeration "the field does not accept this value",
    E0207 ValuesNotCovered "a value map leaves out a value",
    E0208 UnknownSourceValue "a row of a value map is never used",
    E0209 UnknownTargetValue "a row of a value map gives a value the target does not accept",
    E0210 NotOneToOne "a two-way value map is not one-to-one",
    E0211 DuplicateRow "a value map has two rows for one value",
    E0212 WrongArguments "a function is given too few or too many arguments",
    E0213 WrongArgument "an argument has the wrong type",
    E0214 MissingElements "an aggregate over values that may be missing",
    E0215 UnitNeeded "a number needs a unit",
    E0216 WrongUnit "the unit measures something else",
    E0217 MoneyMismatch "money is used where a plain number is needed",
    E0218 DateNeedsTime "a date is not a datetime",
    E0219 ListMismatch "a list where one value is wanted, or the other way round",
    E0220 NotComparable "two values cannot be compared",
    E0221 BadPattern "a pattern cannot be used",
    E0222 BadJsonPath "a JSONPath cannot be used",
    E0223 NotACondition "a condition is not true or false",
    E0224 BadConversion "a literal cannot be converted",
    E0225 UngroupedField "a field of a grouped record is used outside an aggregate",
    E0226 FieldSetTwice "a target field is set twice",
    E0227 CannotClear "the target does not accept an empty value here",
    E0228 DivisionByZero "a division by zero",
    E0229 LiteralMisfit "a literal does not fit the field",
    E0230 NotAnObject "a field of something that has no fields",
    E0231 NeedsArgument "a value map or a function needs a value",
    E0232 KeyNotInTable "a table has no row with this key",
    // ---- flows
    E0301 KeyMissing "a write has no key",
    E0302 KeyMayBeMissing "a key may be missing or is no text",
    E0303 DoubtUnsaid "the write does not say what happens if its answer is lost",
    E0304 DoubtNotSearchable "a write in doubt cannot be looked up by this key",
    E0305 UnreachableRow "a routing row can never be used",
    E0306 RouteIncomplete "the rows of a route do not cover every record",
    E0307 RouteArity "a routing row has too few or too many results",
    E0308 UnknownReference "the connection has no store, warehouse or similar of this name",
    E0309 AmbiguousReference "the connection has two stores, warehouses or similar of this name",
    E0310 CreateNeedsUpsert "a match that may create needs an `upsert … of`",
    E0311 SectionOrder "a section is in the wrong order",
    E0312 OnceInUpdate "`once` has no effect in an update",
    E0313 NoTarget "`target` cannot be read here",
    E0314 FollowUpNested "a follow-up cannot have a follow-up",
    E0315 KeyNotPerPart "the key of a repeated write does not contain the part",
    E0316 ObjectNotWritable "the system does not allow this write",
    E0317 BadSchedule "a schedule cannot be read",
    E0318 NotAStamp "`changed` needs the time of the last change",
    E0319 UnknownEvent "the system has no such webhook event",
    E0320 BadGroup "records cannot be grouped by this",
    E0321 BadMilestone "`reaches` cannot be used here",
    E0322 UnknownFlow "there is no such flow",
    E0323 FlowIncomplete "a flow lacks a section",
    E0324 NotAKey "a field cannot be the key",
    E0325 ResultMayBeMissing "the result of a write that may not apply is used",
    E0326 BadTest "a test expects something that its flow cannot produce",
    // ---- project
    E0401 TableMissing "a table's file cannot be read",
    E0402 ColumnMissing "a table's file lacks a column",
    E0403 TableValue "a value in a table has the wrong type",
    E0404 DuplicateKey "a table has two rows with the same key",
    E0405 BadProject "crossdock.yaml cannot be used",
    E0406 UnknownSystem "there is no such system",
    E0407 ParameterUnset "a parameter has no value",
    E0408 ParameterValue "a parameter's value has the wrong type or does not exist",
    E0409 BadSchema "a schema cannot be read",
    E0410 OutsideProject "a file is outside the project",
    E0411 BadCase "a test case cannot be read",
    // ---- descriptions of systems
    E0601 BadDescription "a system's description cannot be read",
    E0602 UnknownKey "a description has no such key here",
    E0603 UnknownWord "a word is not one of those that are possible here",
    E0604 NeedsKey "a description lacks something that it needs",
    E0605 NotProvided "a name has no value at this place",
    E0606 BadExpression "a template, a path or an expression of a description cannot be read",
    E0611 MeansLacks "a guarantee lacks something that it needs",
    E0612 ClaimsMore "a rule for answers promises more than the answer proves",
    E0613 MarkUnsure "a record that was created may not be found again",
    E0614 BatchUnmatched "the results of a batch cannot be assigned to its items",
    E0615 PagesMayLose "a record may be lost between pages",
    E0616 LateRecords "a record that appears late is never read",
    E0617 NotRepeatable "a step cannot be sent again",
    E0618 SecretOrHost "a secret or an address is not allowed here",
    E0619 NotCarriedOut "a description says something that is not supported",
    E0621 NotInFile "the vendor's file does not have this name",
    E0622 FileDemands "the vendor's file demands something that the description does not give",
    // ---- doubts
    W0501 Unused "nothing uses this",
    W0502 UnusedRow "a row of a value map is never used",
    W0503 MappedTwice "a source field is mapped twice",
    W0504 CommonlyNeeded "a commonly needed field is not mapped",
    W0505 MayBeTooLong "a text may be longer than the target accepts",
    W0506 MayNotFit "a number may not fit the target",
    W0507 NeverRuns "a write never applies",
    W0508 PassedThrough "the source's name is sent where the target has its own list of names",
    W0509 StampMissing "a change of child records is not seen",
    W0510 GoneUnhandled "nothing handles a record that is gone",
    W0511 ListsDiffer "two lists of one source have different conditions",
    W0512 ElseCatches "an `else` catches known values",
    W0513 NotKnownValue "a value is not one of the known ones",
    W0514 ConstantCondition "a condition is always true or always false",
    W0515 UselessFallback "a fallback is never used",
    W0516 OlderEdition "this is an error in the newest edition",
    W0517 Deprecated "there is a better way to write this",
    W0518 NoMessage "a rule has no message",
    W0519 StampStays "the time in `changed` does not change with the record",
    W0520 MayBeSilent "a rule does not fire if a value is missing",
    W0522 SetOnlyOnce "a field is accepted only when the record is created",
    W0523 LeavesWhere "a flow writes a status that another flow's `where` excludes",
    W0524 FeedsItself "flows create records for each other without end",
    W0525 UnitDiffers "a name contains another unit",
    W0526 TextDropped "a text is not sent if a part of it is missing",
    W0527 GuardWithoutTarget "a guard does not read the target",
    W0528 LooksLikeCode "a text looks like an expression",
    W0529 NotSearchable "a match uses a field that cannot be searched",
    W0530 MayNotMatch "a text may not have the form that the field needs",
    W0531 NoRowFits "a look-up has no row for any of its values",
    W0532 UselessAllowance "an entry of `allow` matches no warning",
    W0533 CurrencyUnclear "the currency of an amount is not checked",
    W0541 OtherCurrency "an amount may be in another currency than the target accepts",
    W0542 GroupCase "groups that differ only by case become one record",
    W0551 RestsOnAssumption "a description contains something that is not confirmed",
}

impl Code {
    pub fn severity(self) -> Severity {
        if self.number().starts_with('E') { Severity::Error } else { Severity::Warning }
    }

    /// The code of a number as a person writes it; case does not count.
    pub fn parse(number: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.number().eq_ignore_ascii_case(number))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.number())
    }
}
