"""What people call things: the names of a dataset's columns, in several languages, to columns of a manifest."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm.attributes import dictionary
from bulkdcm.manifest import fault

if TYPE_CHECKING:
    from collections.abc import Iterable

_ACCENTS = re.compile("[\u0300-\u036f]")
_SIGNS = re.compile(r"[\W_]+")
_PICTURE = "(图像|影像|图片|圖像|圖片|照片|画像)"
_FILE = "(文件|檔案|ファイル)"
_PATIENT = "(患者|病人|病患|受试者|受試者|被験者|症例)"
# Manifest column to patterns of a foreign column's name without accents and signs. Those of the first pattern that fits any
# column are as good as each other; the later ones are only asked if it fits none.
_NAMES: dict[str, tuple[str, ...]] = {
    "source": (
        (r"path|file|filename|filepath|filestem|(image|img|picture|photo)(path|name|index|id|file(name|path)?)?|idcode|dicomid"
        r"|bild(datei|name|pfad|id|nr|nummer)?|datei(name|pfad)?|pfad"
        r"|imagen|(id|nombre(de(la)?)?|ruta(de(la)?)?)imagen|archivo|(nombre|ruta)(del?)?(archivo|fichero)|fichero|ruta"
        r"|imagem|arquivo|nome(do)?arquivo|immagine|nome(del)?file|fichier|nom(du|de)?(fichier|l?image)|chemin(du)?(fichier)?"
        rf"|{_PICTURE}{_FILE}?(名称|名稱|名|路径|路徑|パス|编号|編號|番号|id|索引)?|{_FILE}(名称|名稱|名|路径|路徑|パス)?|路径|路徑"),
    ),
    "PatientID": (
        (r"(patient|subject|case|participant)(id|number|no|nr|code)?|pid|mrn"
        r"|patient(en|innen)(id|nummer|nr|kennung|code)|patientnummer|pat(id|nr)|proband(en)?(id|nummer|nr|code)?|fall(id|nummer|nr)"
        r"|(id|numero|num|no|n|codigo|code|codice)?(del?|du|dela)?(paciente|sujeto|patiente?|sujet|paziente)(id)?|nhc|ipp|prontuario"
        rf"|{_PATIENT}(id|编号|編號|号|號|序号|代码|番号|no)?|病[历歷案][号號]"),
        r"id|(住院|门诊)号",
    ),
    "PatientSex": (
        (r"(patients?)?(sex|gender)|(is)?(fe)?male|(patienten)?geschlecht|(sexo|genero)(del?paciente)?|sexe(du(patient|sujet))?"
        rf"|sesso|{_PATIENT}?性[别別]|пол"),
    ),
    "PatientAge": (
        (r"(patient)?age(at(study|exam|scan))?(in)?(approx|years?|yrs|months?|mos|weeks?|days?|hours?)?"
        r"|(patienten)?alter(in)?(jahren?|monaten?|wochen|tagen?)?|(edad|idade)(del?paciente)?(en|em)?(anos|meses|semanas|dias)?"
        rf"|age(du(patient|sujet))?(en)?(ans|annees|mois|semaines|jours)?|{_PATIENT}?年[龄齡齢]岁?|[月周日][龄齡齢]|возраст"),
    ),
    "PatientBirthDate": (
        (r"(patient)?(birth(date)?|dateofbirth|dob)|geburts(datum|tag)|geborenam|fecha(de)?nac(imiento)?|date(de)?naissance"
        r"|data(di)?nascita|data(de)?nascimento|出生(日期|年月日|年月|日)|生年月日|生日"),
    ),
    "StudyDate": (
        (r"(study|exam(ination)?|acquisition|scan|imaging)?date|dateof(study|exam(ination)?|acquisition)"
        r"|(untersuchungs|studien)?datum|fecha((de)?l?(estudio|examen|exploracion|adquisicion))?"
        r"|date(del?|du|d)?l?a?(examen|etude|acquisition)|data(do|da|del?)?l?(exame|estudo|esame|studio)"
        r"|(检查|檢查|拍摄|扫描|采集)?日期|[検检檢][査查]日|撮影日"),
    ),
    "StudyTime": (
        (r"(study|exam|acquisition|scan)time|untersuchungs(uhr)?zeit|hora(del?)?(estudio|examen)|heure(del?)?(examen|etude)"
        r"|(检查|檢查|拍摄)(时间|時間)|検査時[刻間]"),
    ),
    "AccessionNumber": (r"accession(number|no)?",),
    "StudyID": (
        (r"(study|exam|visit)(id|number|no)?|followup|(untersuchungs|studien)(id|nummer|nr)"
        r"|(id|numero|num)?(del?|du|d)?l?(examen|etude|estudio|exame|estudo)(id)?|(检查|檢查)(号|號|编号|編號|id|序号)|検査(番号|id)"),
    ),
    "SeriesNumber": (r"series(number|no)?|serien(nummer|nr)|numero(de)?(la)?serie|序列号|シリーズ番号",),
    "InstanceNumber": (r"(instance|slice|image)(number|no)",),
    "BodyPartExamined": (
        (r"bodypart(examined)?|anatomy|korper(teil|region)|partie(du)?corps|parte(del)?(cuerpo|corpo)|regionanatomica"
        r"|([检檢][查])?部位|撮影部位"),
    ),
    "ViewPosition": (r"view(position)?|projection|projektion|proyeccion|incidence|(投照)?体位",),
    "ImageComments": (
        (r"(clinical)?(notes?|comments?)|finding(s|labels)?|befunde?|bemerkung(en)?|anmerkung(en)?|kommentare?|notiz(en)?"
        r"|hallazgos?|observaciones|comentarios?|commentaires?|remarques?|备注|備考|(影像)?所[见見]"),
    ),
    "StudyDescription": (r"(study|exam)?description",),
}  # fmt: skip


class Named(NamedTuple):
    """Which column of a dataset is what, by its name."""

    used: dict[str, str]
    """Manifest column to the dataset's."""
    rivals: dict[str, list[str]]
    """Manifest column to the others whose names fit as well."""
    vague: set[str]
    """Manifest columns whose column's name may mean something else too, such as `id`."""


def plain(text: str) -> str:
    """Return a text without accents and capitals."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", parts))


def letters(name: str) -> str:
    """Return the letters and digits of a name, without accents and capitals."""
    return _SIGNS.sub("", plain(name))


def named(names: Iterable[str]) -> Named:
    """Return which columns are what, by what people call things and by the Standard's own keywords."""
    left = {name: letters(name).removesuffix("dicom") for name in names if name}
    found = Named({}, {}, set())
    for target, patterns in _NAMES.items():
        ranked = ((rank, names) for rank, pattern in enumerate(patterns) if (names := _fitting(pattern, left)))
        rank, fitting = next(ranked, (0, []))
        fitting = [name for name in fitting if target in ("source", name) or not _is_keyword(name)]
        if exact := [name for name in fitting if left[name] == target.lower()]:
            fitting = exact
        if fitting:
            found.used[target], *found.rivals[target] = fitting
            del left[fitting[0]]
            found.vague.update([target] if rank else [])
    for name in left:
        if name not in found.used and _is_keyword(name):
            found.used[name], found.rivals[name] = name, []
    return found


def _is_keyword(name: str) -> bool:
    """Return whether a name is, letter by letter, that of an attribute that a manifest may set."""
    return bool(dictionary.find(name) and not fault(name, ""))


def _fitting(pattern: str, left: dict[str, str]) -> list[str]:
    return [name for name, text in left.items() if re.fullmatch(pattern, text)]
