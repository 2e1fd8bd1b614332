"""The page that lies in every pack, for whoever finds a stick: in all six languages, since sticks travel."""

from __future__ import annotations

from html import escape

_TEXTS: tuple[tuple[str, str, str], ...] = (
    (
        "en",
        "This folder is a Hubshelf pack",
        "It carries an education library, and sealed messages, to places without a connection. Put the stick "
        "into a computer with Hubshelf and run: hubshelf pack import FOLDER. Please change nothing in it; "
        "whatever was changed is noticed and not used. Messages in “outbox” and “answers” are sealed: only the "
        "hub, or the person they are for, can open them. You may pass the stick on.",
    ),
    (
        "fr",
        "Ce dossier est un paquet Hubshelf",
        "Il porte une bibliothèque sur l’éducation, et des messages scellés, là où il n’y a pas de connexion. "
        "Branchez la clé sur un ordinateur qui a Hubshelf et lancez : hubshelf pack import DOSSIER. N’y changez "
        "rien, s’il vous plaît ; ce qui a été modifié est remarqué et n’est pas utilisé. Les messages dans « "
        "outbox » et « answers » sont scellés : seuls le hub ou leur destinataire peuvent les ouvrir. Vous "
        "pouvez transmettre la clé.",
    ),
    (
        "ar",
        "هذا المجلد حزمة Hubshelf",
        "يحمل مكتبة تعليمية ورسائل مختومة إلى أماكن بلا اتصال. أدخل الذاكرة في حاسوب عليه Hubshelf ونفّذ: "
        "hubshelf pack import ثم المجلد. من فضلك لا تغيّر فيه شيئًا؛ فما تغيّر يُكتشف ولا يُستعمل. الرسائل في outbox "
        "وanswers مختومة: لا يفتحها إلا المركز أو من أُرسلت إليه. يمكنك أن تعطي الذاكرة لغيرك.",
    ),
    (
        "pt",
        "Esta pasta é um pacote do Hubshelf",
        "Leva uma biblioteca sobre educação, e mensagens seladas, a lugares sem ligação. Ponha a pen num "
        "computador com o Hubshelf e execute: hubshelf pack import PASTA. Não mude nada nela, por favor; o que "
        "foi alterado é notado e não é usado. As mensagens em “outbox” e “answers” estão seladas: só o hub, ou a "
        "pessoa a quem se destinam, as pode abrir. Pode passar a pen a outra pessoa.",
    ),
    (
        "es",
        "Esta carpeta es un paquete de Hubshelf",
        "Lleva una biblioteca sobre educación, y mensajes sellados, a lugares sin conexión. Conecte la memoria a "
        "un ordenador con Hubshelf y ejecute: hubshelf pack import CARPETA. Por favor, no cambie nada en ella; "
        "lo que se haya cambiado se nota y no se usa. Los mensajes de «outbox» y «answers» están sellados: solo "
        "el hub, o la persona a quien van dirigidos, puede abrirlos. Puede pasar la memoria a otra persona.",
    ),
    (
        "sw",
        "Folda hii ni furushi la Hubshelf",
        "Inabeba maktaba ya elimu, na ujumbe uliofungwa, hadi mahali pasipo na muunganisho. Chomeka kidude kwenye "
        "kompyuta yenye Hubshelf kisha andika: hubshelf pack import FOLDA. Tafadhali usibadilishe chochote ndani "
        "yake; kilichobadilishwa hugunduliwa na hakitumiki. Ujumbe ulio katika “outbox” na “answers” umefungwa: "
        "kitovu, au anayetumiwa, ndiye pekee anayeweza kuufungua. Unaweza kumpa mtu mwingine kidude hiki.",
    ),
)


def readme_text() -> str:
    """Return the page as plain text."""
    return "\r\n\r\n".join(f"{title}\r\n{body}" for _lang, title, body in _TEXTS) + "\r\n"


def readme_page() -> str:
    """Return the page as HTML, which fetches nothing."""
    parts = [
        f'<section lang="{lang}" dir="{"rtl" if lang == "ar" else "ltr"}"><h1>{escape(title)}</h1>'
        f"<p>{escape(body)}</p></section>"
        for lang, title, body in _TEXTS
    ]
    return f'<!doctype html><meta charset="utf-8"><title>Hubshelf</title>{"".join(parts)}\n'
