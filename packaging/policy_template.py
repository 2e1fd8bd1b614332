"""The group policy template of Windows (ADMX, with its English words, ADML), made from the table of keys."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from sync.policy_keys import KEYS, Key

_PATH = r"SOFTWARE\Policies\Hubshelf"
_SPACE = "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"
_HEAD = (
    f'xmlns="{_SPACE}" revision="1.0" schemaVersion="1.0" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


def admx() -> str:
    """Return `hubshelf.admx`: each key locked, and those that a person may choose as a default too."""
    policies = [_policy(key, "Hubshelf", _PATH, key.name) for key in KEYS]
    policies += [
        _policy(key, "Recommended", rf"{_PATH}\Recommended", f"{key.name}_recommended")
        for key in KEYS
        if key.personal
    ]
    body = "\n".join(policies)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<policyDefinitions {_HEAD}>
  <policyNamespaces>
    <target prefix="hubshelf" namespace="Hubshelf.Policies" />
  </policyNamespaces>
  <resources minRequiredRevision="1.0" />
  <supportedOn>
    <definitions>
      <definition name="SUPPORTED" displayName="$(string.SUPPORTED)" />
    </definitions>
  </supportedOn>
  <categories>
    <category name="Hubshelf" displayName="$(string.Hubshelf)" />
    <category name="Recommended" displayName="$(string.Recommended)">
      <parentCategory ref="Hubshelf" />
    </category>
  </categories>
  <policies>
{body}
  </policies>
</policyDefinitions>
"""


def adml() -> str:
    """Return `en-US/hubshelf.adml`, the words of the template."""
    strings = [
        ("SUPPORTED", "Windows 10 and newer"),
        ("Hubshelf", "Hubshelf"),
        ("Recommended", "Defaults (a person may choose otherwise)"),
    ]
    forms = []
    for key in KEYS:
        strings += [(key.name, _title(key)), (f"{key.name}_explain", _explanation(key))]
        strings += [(f"{key.name}_{number}", value) for number, value in enumerate(_choices(key))]
        for name in (key.name, f"{key.name}_recommended") if key.personal else (key.name,):
            if form := _form(key):
                forms.append(f'      <presentation id="{name}">\n{form}\n      </presentation>')
    table = "\n".join(f'      <string id="{name}">{escape(words)}</string>' for name, words in strings)
    shown = "\n".join(forms)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<policyDefinitionResources {_HEAD}>
  <displayName>Hubshelf</displayName>
  <description>What an administrator decides for Hubshelf on a PC.</description>
  <resources>
    <stringTable>
{table}
    </stringTable>
    <presentationTable>
{shown}
    </presentationTable>
  </resources>
</policyDefinitionResources>
"""


def _type(key: Key) -> str:
    return str(key.kind.schema.get("type", "enum"))


def _choices(key: Key) -> list[str]:
    return [str(value) for value in key.kind.schema.get("enum", [])]


def _title(key: Key) -> str:
    return key.name.replace("_", " ").replace(" url", " address").capitalize()


def _explanation(key: Key) -> str:
    form = " Several are separated by commas." if _type(key) == "array" else ""
    return f"{key.meaning.replace('`', '')} It is {key.kind.words}.{form}"


def _policy(key: Key, category: str, path: str, name: str) -> str:
    # A switch has its value in the policy itself; everything else is an element of the form.
    switch = _type(key) == "boolean"
    value = f' valueName="{key.name}"' if switch else f' presentation="$(presentation.{name})"'
    lines = [
        f'    <policy name="{name}" class="Machine" displayName="$(string.{key.name})"'
        f' explainText="$(string.{key.name}_explain)" key={quoteattr(path)}{value}>',
        f'      <parentCategory ref="{category}" />',
        '      <supportedOn ref="SUPPORTED" />',
    ]
    if switch:
        lines += ['      <enabledValue><decimal value="1" /></enabledValue>']
        lines += ['      <disabledValue><decimal value="0" /></disabledValue>']
    else:
        lines += ["      <elements>", f"        {_element(key)}", "      </elements>"]
    return "\n".join([*lines, "    </policy>"])


def _element(key: Key) -> str:
    if _type(key) == "integer":
        bounds = f'minValue="{key.kind.schema["minimum"]}" maxValue="{key.kind.schema["maximum"]}"'
        return f'<decimal id="value" valueName="{key.name}" required="true" {bounds} />'
    if _type(key) == "enum":
        items = "".join(
            f'<item displayName="$(string.{key.name}_{number})">'
            f"<value><string>{escape(value)}</string></value></item>"
            for number, value in enumerate(_choices(key))
        )
        return f'<enum id="value" valueName="{key.name}" required="true">{items}</enum>'
    most = key.kind.schema.get("maxLength", 1023)
    return f'<text id="value" valueName="{key.name}" required="true" maxLength="{min(most, 1023)}" />'


def _form(key: Key) -> str:
    words = escape(_title(key))
    if _type(key) == "boolean":
        return ""
    if _type(key) == "integer":
        return f'        <decimalTextBox refId="value" defaultValue="{key.builtin or 0}">{words}</decimalTextBox>'
    if _type(key) == "enum":
        return f'        <dropdownList refId="value" noSort="true">{words}</dropdownList>'
    return f'        <textBox refId="value"><label>{words}</label></textBox>'
