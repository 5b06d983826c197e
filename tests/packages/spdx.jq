# spdx.jq - is this SPDX 2.3?  Fails with the first rule that is broken; the
# numbers are those of the specification's clauses.
def need(rule; condition): if condition then . else error(rule) end;
def text: type == "string" and length > 0;
def matches(re): type == "string" and test(re);
def actor: matches("^(Person|Organization|Tool): .+");

need("6.1 version"; .spdxVersion == "SPDX-2.3")
| need("6.2 data licence"; .dataLicense == "CC0-1.0")
| need("6.3 identifier"; .SPDXID == "SPDXRef-DOCUMENT")
| need("6.4 name"; .name | text)
| need("6.5 namespace";
    .documentNamespace | matches("^[a-z][a-z0-9+.-]*:[^# ]+$"))
| need("6.8 creators"; (.creationInfo.creators | length > 0) and
    (.creationInfo.creators | all(actor)))
| need("6.9 created"; .creationInfo.created |
    matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"))
| need("7 packages"; .packages | length >= 8)
| reduce .packages[] as $p (.;
    need("7.1 name of \($p)"; $p.name | text)
    | need("7.2 identifier of \($p)";
	$p.SPDXID | matches("^SPDXRef-[A-Za-z0-9.-]+$"))
    | need("7.3 version of \($p)"; $p.versionInfo | text)
    | need("7.5 supplier of \($p)"; $p.supplier | actor)
    | need("7.7 location of \($p)"; $p.downloadLocation | text)
    | need("7.8 files of \($p)"; $p.filesAnalyzed == false)
    | need("7.10 checksums of \($p)"; $p.checksums // [] | all(
	(.algorithm == "SHA256") and (.checksumValue | matches("^[0-9a-f]{64}$"))))
    | need("7.13 licence of \($p)"; $p.licenseConcluded | text)
    | need("7.15 licence of \($p)"; $p.licenseDeclared | text)
    | need("7.21 reference of \($p)"; $p.externalRefs // [] | all(
	(.referenceCategory == "PACKAGE-MANAGER") and (.referenceType == "purl") and
	(.referenceLocator | matches("^pkg:(deb|rpm)/[a-z]+/[^@]+@[^?]+\\?arch="))))
    | need("7.24 purpose of \($p)"; $p.primaryPackagePurpose |
	matches("^(APPLICATION|SOURCE|LIBRARY)$")))
| need("7.2 identifiers are unique";
    (.packages | map(.SPDXID)) | length == (unique | length))
| ([.SPDXID] + (.packages | map(.SPDXID))) as $ids
| need("11.1 relationships"; .relationships | all(
    ([.spdxElementId] - $ids == []) and ([.relatedSpdxElement] - $ids == []) and
    (.relationshipType |
	matches("^(DESCRIBES|GENERATED_FROM|DYNAMIC_LINK)$"))))
| need("11.1 the document describes the package"; .relationships | any(
    .relationshipType == "DESCRIBES" and .spdxElementId == "SPDXRef-DOCUMENT"))
| need("it is about this package"; .packages | any(
    .packageFileName == $file and .checksums[0].checksumValue == $sum))
| need("libraries"; [.packages[].name] - ["libssl3"] != [.packages[].name])
