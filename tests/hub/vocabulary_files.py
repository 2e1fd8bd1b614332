"""Small SKOS files: the same vocabulary in the four notations, and one that changed later."""

from __future__ import annotations

from pathlib import Path

PREFIXES = """\
@prefix : <http://thesaurus.example/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix skosxl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
"""
SCHEME = """\
<http://thesaurus.example/> a skos:ConceptScheme ;
  dct:title "School thesaurus"@en ; dct:license <http://licence.example/by> .
"""
TEACHER_EDUCATION = """\
:c1 a skos:Concept ; skos:inScheme <http://thesaurus.example/> ;
  skos:prefLabel "Teacher education"@en , "Formation des enseignants"@fr , "Formación de docentes"@es ;
  skos:altLabel "Instructor training"@en , "Обучение"@ru .
"""
WATER = """\
:c2 a skos:Concept ; skos:inScheme <http://thesaurus.example/> ; skos:prefLabel "Water"@en , "Eau"@fr .
"""
TURTLE = PREFIXES + SCHEME + TEACHER_EDUCATION + WATER

TRIPLES = """\
<http://thesaurus.example/> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/2004/02/skos/core#ConceptScheme> .
<http://thesaurus.example/> <http://purl.org/dc/terms/title> "School thesaurus"@en .
<http://thesaurus.example/> <http://purl.org/dc/terms/license> <http://licence.example/by> .
<http://thesaurus.example/c1> <http://www.w3.org/2004/02/skos/core#inScheme> <http://thesaurus.example/> .
<http://thesaurus.example/c1> <http://www.w3.org/2004/02/skos/core#prefLabel> "Teacher education"@en .
<http://thesaurus.example/c1> <http://www.w3.org/2004/02/skos/core#prefLabel> "Formation des enseignants"@fr .
<http://thesaurus.example/c1> <http://www.w3.org/2004/02/skos/core#prefLabel> "Formaci\\u00F3n de docentes"@es .
<http://thesaurus.example/c1> <http://www.w3.org/2004/02/skos/core#altLabel> "Instructor training"@en .
<http://thesaurus.example/c1> <http://www.w3.org/2004/02/skos/core#altLabel> "Обучение"@ru .
<http://thesaurus.example/c2> <http://www.w3.org/2004/02/skos/core#topConceptOf> <http://thesaurus.example/> .
<http://thesaurus.example/c2> <http://www.w3.org/2004/02/skos/core#prefLabel> "Water"@en .
<http://thesaurus.example/c2> <http://www.w3.org/2004/02/skos/core#prefLabel> "Eau"@fr .
"""  # noqa: E501

XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE rdf:RDF [<!ENTITY skos "http://www.w3.org/2004/02/skos/core#">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:skos="http://www.w3.org/2004/02/skos/core#"
  xmlns:dct="http://purl.org/dc/terms/" xml:base="http://thesaurus.example/">
  <skos:ConceptScheme rdf:about="http://thesaurus.example/">
    <dct:title xml:lang="en">School thesaurus</dct:title>
    <dct:license rdf:resource="http://licence.example/by"/>
  </skos:ConceptScheme>
  <rdf:Description rdf:about="c1">
    <rdf:type rdf:resource="&skos;Concept"/>
    <skos:inScheme rdf:resource="http://thesaurus.example/"/>
    <skos:prefLabel xml:lang="en">Teacher
      education</skos:prefLabel>
    <skos:prefLabel xml:lang="fr">Formation des enseignants</skos:prefLabel>
    <skos:prefLabel xml:lang="es">Formación de docentes</skos:prefLabel>
    <skos:altLabel xml:lang="en">Instructor training</skos:altLabel>
    <skos:altLabel xml:lang="ru">Обучение</skos:altLabel>
  </rdf:Description>
  <skos:Concept rdf:about="c2">
    <skos:inScheme rdf:resource="http://thesaurus.example/"/>
    <skos:prefLabel xml:lang="en">Water</skos:prefLabel>
    <skos:prefLabel xml:lang="fr">Eau</skos:prefLabel>
  </skos:Concept>
</rdf:RDF>
"""

JSON_LD = """\
{"@context": {"skos": "http://www.w3.org/2004/02/skos/core#", "dct": "http://purl.org/dc/terms/",
   "prefLabel": {"@id": "skos:prefLabel", "@container": "@language"},
   "altLabel": {"@id": "skos:altLabel", "@container": "@language"},
   "inScheme": {"@id": "skos:inScheme", "@type": "@id"}, "uri": "@id", "type": "@type", "graph": "@graph"},
 "graph": [
  {"uri": "http://thesaurus.example/", "type": "skos:ConceptScheme",
   "dct:title": {"@language": "en", "@value": "School thesaurus"},
   "dct:license": {"@id": "http://licence.example/by"}},
  {"uri": "http://thesaurus.example/c1", "type": "skos:Concept", "inScheme": "http://thesaurus.example/",
   "prefLabel": {"en": "Teacher education", "fr": "Formation des enseignants", "es": "Formación de docentes"},
   "altLabel": {"en": ["Instructor training"], "ru": "Обучение"}},
  {"uri": "http://thesaurus.example/c2", "type": "skos:Concept", "inScheme": "http://thesaurus.example/",
   "prefLabel": {"en": "Water", "fr": "Eau"}}]}
"""

LABELS = {
    "http://thesaurus.example/c1": {
        "en": ["Teacher education", "Instructor training"],
        "es": ["Formación de docentes"],
        "fr": ["Formation des enseignants"],
        "ru": ["Обучение"],
    },
    "http://thesaurus.example/c2": {"en": ["Water"], "fr": ["Eau"]},
}
"""What every one of them holds."""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """Put a file into `folder` and return its path."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
