"""`init --from` looks at cells and at the disk: headers of any language, and of none that is known."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from pydicom import dcmread

import bulkdcm
from bulkdcm.draft import propose_mapping

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.model import Problem


def text_of(folder: Path, *lines: str, files: str = "") -> str:
    """Return the mapping proposed for a CSV beside some images."""
    for name in files.split():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(path)
    (folder / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = propose_mapping(folder / "d.csv", "utf-8")
    (folder / "m.toml").write_text(text, encoding="utf-8")
    return text


def proposed(folder: Path, *lines: str, files: str = "") -> dict[str, Any]:
    """Return its columns."""
    return tomllib.loads(text_of(folder, *lines, files=files))["columns"]  # type: ignore[no-any-return]  # TOML has no types


def test_a_column_of_file_names_is_the_source_whatever_it_is_called(tmp_path):
    columns = proposed(tmp_path, "Quelle X,image,patient", "a.png,one,1", "b.JPG,two,2")
    assert columns["source"] == {"column": "Quelle X"}
    two = proposed(tmp_path, "id,left,right", "1,a_l.jpg,a_r.jpg", "2,b_l.jpg,b_r.jpg")["source"]
    assert two["column"] == "left"
    assert "right looks like it too" in two["question"]
    urls = proposed(tmp_path, "web,picture,patient", "https://x/a.png,a,1", "https://x/b.png,b,2")["source"]
    assert urls["template"] == "images/{picture}.*"


@pytest.mark.parametrize(
    ("cells", "files", "source"),
    [
        (("a.png", "b.png"), "a.png b.png", {"column": "key"}),
        (("a.png", "b.png"), "im/a.png im/b.png", {"template": "im/{key}"}),
        (("a", "b"), "im/train/a.png im/train/b.jpg", {"template": "im/train/{key}.*"}),
        (("a", "b"), "a.png b.jpg", {"template": "{key}.*"}),
        (("a.png", "b.png"), "images_001/a.png images_002/b.png", {"template": "**/{key}"}),
        (("a", "b"), "one/a.png two/b.png", {"template": "**/{key}.*"}),
        (("p/a.png", "q/b.png"), "root/p/a.png root/q/b.png", {"template": "root/{key}"}),
        (("a", "gone"), "im/a.png", {"template": "im/{key}.*"}),
        (("a.png", "b.png"), ".hidden/a.png x/.bulkdcm/b.png x/b.png", {"column": "key"}),
        (("a.png", "b.png"), "{x}/a.png {x}/b.png", {"column": "key"}),
    ],
)
def test_files_are_found_wherever_they_lie(cells, files, source, tmp_path):
    found = proposed(tmp_path, "key,patient", *(f"{cell},1" for cell in cells), files=files)["source"]
    assert found == source


def test_a_whole_table_checks_after_its_images_were_found(tmp_path):
    text = text_of(tmp_path, "key,patient,sex", "a,1,M", "b,2,F", "c,3,M", files="im/a.png im/b.png")
    assert "# 2 of 3 are there" in text
    assert [problem.lines for problem in about_sources(tmp_path)] == [(4,)]
    Image.new("L", (4, 4)).save(tmp_path / "im" / "c.png")
    assert not about_sources(tmp_path)


def about_sources(folder: Path) -> list[Problem]:
    """Return what the check says of sources; there are no errors."""
    found = bulkdcm.check(folder / "d.csv", mapping=folder / "m.toml")
    assert not [str(problem) for problem in found if problem.severity == "error"]
    return [problem for problem in found if problem.column == "source"]


@pytest.mark.parametrize("cells", [("a", "b"), ("a.png", "b.png")])
def test_what_is_found_by_its_name_converts_as_proposed(cells, tmp_path):
    names = [cell if "." in cell else f"{cell}.png" for cell in cells]
    text = text_of(tmp_path, "key,patient", *(f"{cell},{n}" for n, cell in enumerate(cells)), files=f"x/1/{names[0]} y/{names[1]}")  # fmt: skip
    assert "**/" in text
    report = bulkdcm.convert(tmp_path / "d.csv", tmp_path / "out", mapping=tmp_path / "m.toml")
    assert list(report.table["source"]) == [f"x/1/{names[0]}", f"y/{names[1]}"]
    assert set(report.table["status"]) == {"converted"}


def test_files_of_one_name_in_two_folders_are_asked_for(tmp_path):
    source = proposed(tmp_path, "key", "a.png", "b.png", files="images/a.png images/b.png masks/a.png masks/b.png")[
        "source"
    ]
    assert source["template"] == "images/{key}"
    assert "in images, masks: which are the images?" in source["question"]


def test_of_columns_that_name_files_the_one_with_the_name_or_the_most_is_it(tmp_path):
    files = "im/1.png im/2.png im/3.png im/x7.png"
    by_name = proposed(tmp_path, "number,image,age", "1,x7,1", "2,x8,2", files=files)["source"]
    assert by_name["template"] == "im/{image}.*"
    most = proposed(tmp_path, "level,slide", "1,1", "1,2", "1,3", files=files)["source"]
    assert most["template"] == "im/{slide}.*"


# Real headers, with rows as the datasets have them: which column becomes what. A `?` asks.
DATASETS = {
    "mimic-cxr": (
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning",
        ["02aa804e-bde0afdd,10000032,50414267,CHEST (PA AND LAT),PA,3056,2544,21800506,213014.53100000002,a,b,Erect"],
        "source=dicom_id? PatientID=subject_id StudyID=study_id StudyDate=StudyDate StudyTime=StudyTime ViewPosition=ViewPosition PerformedProcedureStepDescription=PerformedProcedureStepDescription",
    ),
    "padchest": (
        ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,ViewPosition_DICOM,Projection,Modality_DICOM,Rows_DICOM,Report",
        ["0,20536_k6ga29.png,0,20140915,20536686640136348236148679891455886468,839860488694292331637988235681460987,1930.0,F,POSTEROANTERIOR,PA,CR,2536,sin hallazgo"],
        "source=ImageID PatientID=PatientID study=StudyID StudyDate=StudyDate_DICOM PatientBirthDate=PatientBirth? PatientSex=PatientSex_DICOM ViewPosition=ViewPosition_DICOM",
    ),
    "ham10000": (
        "lesion_id,image_id,dx,dx_type,age,sex,localization",
        ["HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp", "HAM_0000118,ISIC_0025030,bkl,histo,80.0,male,scalp", "HAM_0002730,ISIC_0026769,bkl,histo,,unknown,face"],
        "source=image_id? PatientID=lesion_id? PatientAge=age PatientSex=sex",
    ),
    "pad-ufes-20": (
        "patient_id,lesion_id,smoke,age,gender,region,diagnostic,img_id,biopsed",
        ["PAT_1516,1765,,8,,ARM,NEV,PAT_1516_1765_530.png,False", "PAT_46,881,False,55,FEMALE,NECK,BCC,PAT_46_881_939.png,True"],
        "source=img_id PatientID=patient_id PatientAge=age PatientSex=gender",
    ),
    "odir-5k": (
        "ID,Patient Age,Patient Sex,Left-Fundus,Right-Fundus,Left-Diagnostic Keywords,N,D",
        ["0,69,Female,0_left.jpg,0_right.jpg,cataract,0,0", "1,57,Male,1_left.jpg,1_right.jpg,normal,1,0"],
        "source=Left-Fundus? PatientID=ID PatientAge=Patient_Age PatientSex=Patient_Sex",
    ),
    "grazpedwri-dx": (
        "filestem,patient_id,study_number,timehash,gender,age,laterality,projection,initial_exam,ao_classification",
        ["0001_1297860395_01_WRI-L1_M014,1,1,2b4b8a,M,14,L,1,True,23r-M/2.1", "0003_1,3,1,c0,F,2,R,2,,"],
        "source=filestem? PatientID=patient_id StudyID=study_number PatientAge=age PatientSex=gender ViewPosition=projection",
    ),
    "vindr-mammo": (
        "study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,split",
        ["b8d273e8601f348d3664778dae0e7e0b,b36517b9cbbcfd286a7ae04f643af97a,d8125545210c08e1b1793a5af6458ee2,L,CC,3518,2800,BI-RADS 2,training"],
        "source=image_id? study=study_id ViewPosition=view_position",
    ),
    "cbis-ddsm": (
        "patient_id,breast density,left or right breast,image view,abnormality id,abnormality type,pathology,image file path,cropped image file path,ROI mask file path",
        ["P_00001,3,LEFT,CC,1,mass,MALIGNANT,Mass_P_00001/1.dcm,Mass_P_00001_1/2.dcm,Mass_P_00001_1/3.dcm"],
        "source=image_file_path PatientID=patient_id",
    ),
}  # fmt: skip
LANGUAGES = {
    "german": (
        "Bilddatei,Patientennummer,Geschlecht,Alter,Geburtsdatum,Untersuchungsdatum,Körperregion,Befund",
        ["a.png,P001,w,45 Jahre,14.02.1975,14.03.2020,Thorax,ohne", "b.png,P002,m,3 Monate,2.1.2020,15.04.2020,Thorax,ohne"],
        "source=Bilddatei PatientID=Patientennummer PatientSex=Geschlecht PatientAge=Alter PatientBirthDate=Geburtsdatum StudyDate=Untersuchungsdatum BodyPartExamined=Körperregion ImageComments=Befund",
    ),
    "spanish": (
        "imagen,id_paciente,sexo,edad,fecha_nacimiento,fecha del estudio,proyección,hallazgos",
        ["a.jpg,1,H,45 años,01/02/1975,14/03/2020,PA,normal", "b.jpg,2,M,3 meses,13/02/2020,15/04/2020,PA,normal"],
        "source=imagen PatientID=id_paciente PatientSex=sexo PatientAge=edad PatientBirthDate=fecha_nacimiento StudyDate=fecha_del_estudio ViewPosition=proyección ImageComments=hallazgos",
    ),
    "french": (
        "Fichier,Numéro patient,Sexe,Âge,Date de naissance,Date d'examen,Incidence,Commentaire",
        ["a.jpg,1,H,45 ans,01/02/1975,14/03/2020,PA,normal", "b.jpg,2,F,3 mois,13/02/2020,15/04/2020,PA,normal"],
        "source=Fichier PatientID=Numéro_patient PatientSex=Sexe PatientAge=Âge PatientBirthDate=Date_de_naissance StudyDate=Date_d'examen ViewPosition=Incidence ImageComments=Commentaire",
    ),
    "chinese": (
        "图像文件名,患者编号,性别,年龄,出生日期,检查日期,检查时间,检查号,检查部位,影像所见",
        ["a.png,P1,男,45岁,1975年2月1日,2020-03-14,10:15:00,E1,CHEST,正常", "b.png,P2,女,30岁,1990年12月31日,2020-04-15,11:15:00,E2,CHEST,正常"],
        "source=图像文件名 PatientID=患者编号 PatientSex=性别 PatientAge=年龄 PatientBirthDate=出生日期 StudyDate=检查日期 StudyTime=检查时间 StudyID=检查号 BodyPartExamined=检查部位 ImageComments=影像所见",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [*DATASETS, *LANGUAGES])
def test_headers_of_datasets_and_languages_are_understood(name, tmp_path):
    header, lines, expected = (DATASETS | LANGUAGES)[name]
    columns = proposed(tmp_path, header, *lines)
    found = {}
    for target, rule in columns.items():
        if isinstance(rule, dict) and "count" not in rule:
            column = rule.get("column") or rule["template"].partition("{")[2].partition("}")[0]
            found[target] = column.replace(" ", "_") + ("?" if "question" in rule else "")
    assert found == dict(pair.split("=") for pair in expected.split(" "))


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_table_of_another_language_becomes_a_manifest(name, tmp_path):
    header, lines, _ = LANGUAGES[name]
    proposed(tmp_path, header, *lines, files=" ".join(line.partition(",")[0] for line in lines))
    report = bulkdcm.convert(tmp_path / "d.csv", tmp_path / "out", mapping=tmp_path / "m.toml")
    assert set(report.table["status"]) == {"converted"}
    made = [dcmread(tmp_path / "out" / output) for output in report.table["output"]]
    sexes = ["F", "M"] if name == "german" else ["M", "F"]
    assert [file.PatientSex for file in made] == sexes
    ages = ["045Y", "030Y"] if name == "chinese" else ["045Y", "003M"]
    assert [file.PatientAge for file in made] == ages
    assert made[0].StudyDate == "20200314"
    assert made[0].PatientBirthDate[:6] == "197502"


@pytest.mark.parametrize(
    ("header", "cells", "values"),
    [
        ("Geschlecht", "m w d", {"m": "M", "w": "F", "d": "O"}),
        ("sex", "m w d", {"m": "M"}),
        ("sexo", "M F", {"M": "M", "F": "F"}),
        ("sexo", "V M", {"V": "M", "M": "F"}),
        ("sexo", "M", {}),
        ("sexo", "H M F", {"H": "M", "F": "F"}),
        ("Género", "hombre M", {"hombre": "M", "M": "F"}),
        ("sexe", "M F", {"M": "M", "F": "F"}),
        ("sexe", "H M F", {"H": "M", "F": "F"}),
        ("sex", "männlich Weiblich", {"männlich": "M", "Weiblich": "F"}),
        ("sex", "féminin masculin", {"féminin": "F", "masculin": "M"}),
        ("性別", "男性 女性 不明", {"男性": "M", "女性": "F", "不明": ""}),
    ],
)
def test_a_letter_means_what_it_does_in_the_language_of_its_header(header, cells, values, tmp_path):
    rule = proposed(tmp_path, f"file,{header}", *(f"a.png,{cell}" for cell in cells.split()))["PatientSex"]
    assert rule["values"] == values
    assert ("question" in rule) == (len(values) < len(cells.split()))


@pytest.mark.parametrize(
    ("header", "cells", "keys"),
    [
        ("Alter", ["45", "3"], {}),
        ("Alter in Monaten", ["45", "3"], {"unit": "M"}),
        ("edad_meses", ["45", "3"], {"unit": "M"}),
        ("âge (jours)", ["45", "3"], {"unit": "D"}),
        ("年龄", ["45岁", "3 岁"], {"take": "^(\\d+) ?岁$", "unit": "Y"}),
        ("年龄", ["3个月", "4个月"], {"take": "^(\\d+) ?个月$", "unit": "M"}),
        ("月龄", ["3", "4"], {"unit": "M"}),
        ("年龄", ["45岁", "3个月"], None),
        ("Alter", ["45 Jahre", "3 Ellen"], None),
    ],
)
def test_units_of_ages_in_words_of_the_header_or_the_cells(header, cells, keys, tmp_path):
    rule = proposed(tmp_path, f"file,{header}", *(f"a.png,{cell}" for cell in cells))["PatientAge"]
    if keys is None:
        assert "question" in rule
    else:
        assert rule == {"column": header, "as": "age", **keys}


def test_what_cells_make_certain_is_proposed_without_a_name(tmp_path):
    lines = ["a.png,weiblich,058Y,1", "b.png,männlich,006M,2"]
    text = text_of(tmp_path, "file,G,A,patient", *lines)
    columns = tomllib.loads(text)["columns"]
    assert columns["PatientSex"] == {"column": "G", "values": {"weiblich": "F", "männlich": "M"}}
    assert columns["PatientAge"] == {"column": "A", "as": "age"}
    assert text.count("no name says so") == 2
    assert "not used" not in text


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["M", "F"], "# perhaps PatientSex ="),
        (["45 years", "3 months"], "# perhaps PatientAge ="),
        (["512M", "256M"], "# perhaps PatientAge ="),
        (["2020-03-14", "2020-04-15"], 'StudyDate = ""  # perhaps StudyDate = { column = "X1", as = "date" }: its cells are dates'),
        (["14.03.2020", "unknown"], ""),
        (["20200314", "20210101"], "# perhaps StudyDate ="),
        (["20200314", "30201"], ""),
        (["male", "male"], ""),
        (["1", "2"], ""),
    ],
)  # fmt: skip
def test_what_cells_only_suggest_is_a_comment(cells, told, tmp_path):
    text = text_of(tmp_path, "file,X1,patient", *(f"{n}.png,{cell},{n}" for n, cell in enumerate(cells)))
    columns = tomllib.loads(text)["columns"]
    assert not {"PatientSex", "PatientAge"} & columns.keys()
    assert columns["StudyDate"] == ""
    assert (told in text) if told else ("perhaps" not in text)
    assert "not used: X1" in text


def test_two_columns_of_dates_are_both_named(tmp_path):
    text = text_of(tmp_path, "file,X1,X2,patient", "a.png,2020-03-14,2020-03-15,1")
    assert 'StudyDate = ""  # StudyDate: the cells of X1 or X2 are dates' in text


def test_a_time_with_its_date_is_both(tmp_path):
    columns = proposed(tmp_path, "file,检查时间,patient", "a.png,2020-03-14 10:15:30,1", "b.png,2020-03-15 08:00:00,2")
    assert columns["StudyDate"] == {"column": "检查时间", "as": "date"}
    assert columns["StudyTime"] == {"column": "检查时间", "as": "time"}
    for times in ("101530", ""):
        plain = proposed(tmp_path, "file,检查时间,patient", f"a.png,{times},1")
        assert plain["StudyDate"] == ""


ROWS = ["a.png,X01,s1,45,M,0.5", "b.png,X01,s1,45,M,0.5", "c.png,X01,s2,46,M,0.5", "d.png,X02,s3,45,F,0.7", "e.png,X02,s3,45,F,0.7"]  # fmt: skip


def test_patients_and_studies_are_asked_of_by_their_cells(tmp_path):
    text = text_of(tmp_path, "file,Kürzel,Besuch,wert,sex,ratio", *ROWS)
    columns = tomllib.loads(text)["columns"]
    assert columns["PatientID"]["column"] == "Kürzel"
    assert "are they the patients?" in columns["PatientID"]["question"]
    assert (
        '# perhaps study = { column = "Besuch" }: its cells are identifiers that divide the rows of each patient'
        in text
    )
    assert list(columns)[:2] == ["source", "PatientID"]


def test_what_is_not_within_one_patient_is_no_study(tmp_path):
    rows = [row.replace("s2", "s3") for row in ROWS] + ["f.png,X03,s9,45,F,0.7"]
    assert "study" not in text_of(tmp_path, "file,patient,Besuch,wert,sex,ratio", *rows, "g.png,X03,s8,45,F,0.7")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["a.png,X1,M", "b.png,X1,F", "c.png,X2,M"], "one patient has one sex"),
        (["a.png,45,M", "b.png,45,M", "c.png,46,M"], "ages are no identifiers"),
        (["a.png,0.25,M", "b.png,0.25,M", "c.png,0.5,M"], "nor are measures"),
        (["a.png,X1,M", "b.png,X2,M", "c.png,X3,M"], "nothing repeats"),
        (["a.png,X1,M", "b.png,X1,M", "c.png,X1,M"], "one for all"),
        (["a.png,left eye,M", "b.png,left eye,M", "c.png,right eye,M"], "words"),
    ],
)
def test_what_cant_be_patients_is_not_asked_of(line, why, tmp_path):
    assert proposed(tmp_path, "file,K,sex", *line)["PatientID"] == "", why


def test_a_name_that_says_more_comes_first(tmp_path):
    assert proposed(tmp_path, "id,file,patient_id", "7,a.png,p", "8,b.png,q")["PatientID"] == {"column": "patient_id"}
    assert proposed(tmp_path, "id,file", "7,a.png", "8,b.png")["PatientID"] == {"column": "id"}


def test_keywords_are_what_they_say(tmp_path):
    columns = proposed(tmp_path, "file,Modality,AcquisitionDate,Rows,Manufacturer", "a.png,CR,2020-03-14,7,Acme")
    assert columns["Modality"] == {"column": "Modality"}
    assert columns["AcquisitionDate"] == {"column": "AcquisitionDate", "as": "date"}
    assert columns["Manufacturer"] == {"column": "Manufacturer"}
    assert columns["StudyDate"] == ""
    assert "Rows" not in columns


def test_comments_hold_names_of_any_letters(tmp_path):
    text = text_of(tmp_path, 'file,"a\nb\x7f","c = [",patient', "a.png,2020-01-02,2020-01-03,1")
    assert "the cells of a\\nb\\x7f or c = [ are dates" in text
    tomllib.loads(text)
