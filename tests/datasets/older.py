"""The datasets whose mappings came first, in small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.datasets.layouts import Layout, color, write_images, write_table

if TYPE_CHECKING:
    from pathlib import Path


def covid_chestxray(root: Path) -> Layout:
    """CT among the radiographs, dates in words and of a year only."""
    write_images(root, "images/a.jpg", "images/b.png")
    table = write_table(
        root / "metadata.csv",
        "patientid,offset,sex,age,finding,RT_PCR_positive,survival,intubated,intubation_present,went_icu,in_icu,needed_supplemental_O2,extubated,temperature,pO2_saturation,leukocyte_count,neutrophil_count,lymphocyte_count,view,modality,date,location,folder,filename,doi,url,license,clinical_notes,other_notes,",
        '2,0,M,65,Pneumonia/Viral/COVID-19,Y,Y,N,N,N,N,Y,,,,,,,PA,X-ray,"January 22, 2020",Vietnam,images,a.jpg,,,,,,',
        "4,5,F,52,x,,,,,,,,,,,,,,Axial,CT,2020,China,volumes,v.nii.gz,,,,,,",
        "5,,,,x,,,,,,,,,,,,,,PA,X-ray,2017,,images,b.png,,,,,,",
    )
    return Layout(
        table=table,
        rows={
            "images/a.jpg": {"PatientID": "2", "PatientSex": "M", "PatientAge": "065Y", "StudyDate": "20200122"},
            "images/b.png": {"PatientID": "5", "PatientSex": "", "PatientAge": "", "StudyDate": ""},
        },
    )


def figure1(root: Path) -> Layout:
    """Latin letters of Windows, endings that the table doesn't say, two images of one patient."""
    names = ["images/COVID-00003a.jpg", "images/COVID-00003b.png", "images/COVID-00010.jpg"]
    write_images(root, *names)
    table = write_table(
        root / "metadata.csv",
        "patientid,offset,sex,age,finding,survival,temperature,pO2 saturation,view,modality,artifacts/distortion,notes",
        "COVID-00003a,13,M,33,COVID-19,,,58,AP erect,X-ray,,It was 58% \u2013 then 89%",
        "COVID-00003b,,M,33,,,,,AP erect,X-ray,,",
        "COVID-00010,,,early 40s,,,,,PA,X-ray,,",
        encoding="cp1252",
    )
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "COVID-00003", "PatientAge": "033Y", "ImageComments": "It was 58% \u2013 then 89%"},
            names[1]: {"PatientID": "COVID-00003", "StudyID": "COVID-00003b"},
            names[2]: {"PatientID": "COVID-00010", "PatientAge": "", "PatientSex": ""},
        },
    )


def isic2020(root: Path) -> Layout:
    """Two images of a patient, one without a sex."""
    names = ["train/ISIC_2637011.jpg", "train/ISIC_0015719.jpg", "train/ISIC_0052212.jpg"]
    write_images(root, *names, make=color)
    table = write_table(
        root / "train.csv",
        "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target",
        "ISIC_2637011,IP_7279968,male,45.0,head/neck,unknown,benign,0",
        "ISIC_0015719,IP_7279968,male,45.0,torso,unknown,benign,0",
        "ISIC_0052212,IP_2842074,,,,nevus,benign,0",
    )
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "IP_7279968", "PatientSex": "M", "PatientAge": "", "InstanceNumber": "1"},
            names[1]: {"PatientID": "IP_7279968", "InstanceNumber": "2", "ImageComments": "torso"},
            names[2]: {"PatientID": "IP_2842074", "PatientSex": "", "ImageComments": ""},
        },
    )


def rsna_bone_age(root: Path) -> Layout:
    """Sexes as a program's words, in either case."""
    names = ["boneage-training-dataset/1377.png", "boneage-training-dataset/1378.png"]
    write_images(root, *names)
    table = write_table(root / "boneage-training-dataset.csv", "id,boneage,male", "1377,180,False", "1378,12,TRUE")
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "1377", "PatientSex": "F", "PatientAge": ""},
            names[1]: {"PatientID": "1378", "PatientSex": "M", "BodyPartExamined": "HAND"},
        },
    )


def aptos2019(root: Path) -> Layout:
    """Nothing but a name and a grade."""
    names = ["train_images/000c1434d8d7.png", "train_images/001639a390f0.png"]
    write_images(root, *names, make=color)
    table = write_table(root / "train.csv", "id_code,diagnosis", "000c1434d8d7,2", "001639a390f0,4")
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "000c1434d8d7", "Modality": "OP", "ImageComments": "moderate diabetic retinopathy"},
            names[1]: {"ImageComments": "proliferative diabetic retinopathy", "ImageLaterality": ""},
        },
    )
