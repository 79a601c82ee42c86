"""Datasets of radiographs in small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.datasets.layouts import Layout, gray, write_images, write_table

if TYPE_CHECKING:
    from pathlib import Path

CHEXPERT = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices"
NO_LABELS = "," * 13


def nih_chestxray14(root: Path) -> Layout:
    """Twelve folders, a table that ends its lines with a comma, ages as 058Y and 414, a PNG with alpha."""
    write_images(root, "images_001/images/00000001_000.png", "images_001/images/00000001_001.png")
    opaque = np.dstack([gray(5)] * 3 + [np.full_like(gray(5), 255)])
    write_images(root, "images_002/images/00001336_000.png", make=lambda _: opaque)
    write_images(root, "images_012/images/00030805_000.png")
    table = write_table(
        root / "Data_Entry_2017.csv",
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],",
        "00000001_000.png,Cardiomegaly,0,1,058Y,M,PA,2682,2749,0.14300000000000002,0.14300000000000002,",
        "00000001_001.png,Cardiomegaly|Emphysema,1,1,058Y,M,PA,2894,2729,0.14300000000000002,0.14300000000000002,",
        "00001336_000.png,No Finding,0,1336,414,F,AP,2500,2048,0.168,0.168,",
        "00030805_000.png,No Finding,0,30805,006M,M,PA,2048,2500,0.171,0.171,",
    )
    common = {"Modality": "CR", "BodyPartExamined": "CHEST", "PixelSpacing": "", "ImagerPixelSpacing": ""}
    return Layout(
        table=table,
        rows={
            "images_001/images/00000001_000.png": {"PatientID": "1", "PatientSex": "M", "PatientAge": "058Y", "StudyID": "0", "ViewPosition": "PA", "ImageComments": "Cardiomegaly", **common},
            "images_001/images/00000001_001.png": {"PatientID": "1", "StudyID": "1", "ImageComments": "Cardiomegaly|Emphysema", **common},
            "images_002/images/00001336_000.png": {"PatientID": "1336", "PatientSex": "F", "PatientAge": "", "ViewPosition": "AP", **common},
            "images_012/images/00030805_000.png": {"PatientID": "30805", "PatientAge": "006M", **common},
        },
        pixels={"images_002/images/00001336_000.png": gray(5)},
    )  # fmt: skip


def nih_chestxray14_2020(root: Path) -> Layout:
    """The table of 2020, and one folder of images."""
    write_images(root, "images/00000002_000.png")
    table = write_table(
        root / "Data_Entry_2017_v2020.csv",
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]",
        "00000002_000.png,No Finding,0,2,80,M,PA,2500,2048,0.171,0.171",
    )
    return Layout(table=table, rows={"images/00000002_000.png": {"PatientID": "2", "PatientAge": "080Y"}})


def chexpert(root: Path) -> Layout:
    """Paths that begin with the folder in which the table lies; views with and without a side; sex unknown, age 0."""
    names = [
        "train/patient00001/study1/view1_frontal.jpg",
        "train/patient00002/study1/view1_frontal.jpg",
        "train/patient00002/study1/view2_lateral.jpg",
        "train/patient00005/study2/view1_lateral.jpg",
        "train/patient00020/study1/view1_frontal.jpg",
    ]
    write_images(root / "CheXpert-v1.0-small", *names)
    said = ["Female,68,Frontal,AP,1.0", "Female,83,Frontal,PA,", "Female,83,Lateral,,", "Male,33,Lateral,LL,", "Unknown,0,Frontal,AP,-1.0"]  # fmt: skip
    table = write_table(
        root / "CheXpert-v1.0-small/train.csv",
        CHEXPERT,
        *(f"CheXpert-v1.0-small/{name},{text}{NO_LABELS}" for name, text in zip(names, said, strict=True)),
    )
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "patient00001", "PatientSex": "F", "PatientAge": "068Y", "ViewPosition": "AP", "StudyID": "1", "SeriesNumber": "1"},
            names[1]: {"PatientID": "patient00002", "ViewPosition": "PA", "SeriesDescription": "Frontal"},
            names[2]: {"ViewPosition": "", "SeriesNumber": "2", "SeriesDescription": "Lateral"},
            names[3]: {"ViewPosition": "LL", "StudyID": "2", "PatientAge": "033Y"},
            names[4]: {"PatientSex": "", "PatientAge": "000Y"},
        },
    )  # fmt: skip


def chexpert_above(root: Path) -> Layout:
    """The same, with --images for the folder above."""
    name = "CheXpert-v1.0/valid/patient64541/study1/view1_frontal.jpg"
    write_images(root, name)
    table = write_table(
        root / "CheXpert-v1.0/valid.csv",
        CHEXPERT,
        f"{name},Male,73,Frontal,AP,0.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0",
    )
    return Layout(table=table, images=root, rows={name: {"PatientID": "patient64541"}})


def chexpert_batches(root: Path) -> Layout:
    """The full size as its archives unpack."""
    names = [
        "CheXpert-v1.0 batch 2 (train 1)/patient00001/study1/view1_frontal.jpg",
        "CheXpert-v1.0 batch 4 (train 3)/patient64540/study1/view1_frontal.jpg",
    ]
    write_images(root, *names)
    table = write_table(
        root / "CheXpert-v1.0 batch 1 (validate & csv)/train.csv",
        CHEXPERT,
        f"CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0{NO_LABELS}",
        f"CheXpert-v1.0/train/patient64540/study1/view1_frontal.jpg,Female,0,Frontal,AP,{NO_LABELS}",
    )
    rows = {names[0]: {"PatientID": "patient00001"}, names[1]: {"PatientID": "patient64540"}}
    return Layout(table=table, images=root, rows=rows)


def mimic_cxr_jpg(root: Path) -> Layout:
    """Folders by the first digits of the patient; times as a spreadsheet left them; views with and without a side."""
    study = "files/p10/p10000032/s50414267"
    names = [
        f"{study}/02aa804e-bde0afdd-112c0b34-7bc16630-4e384014.jpg",
        f"{study}/174413ec-4ec4c1f7-34ea26b7-c5f994f8-79ef1962.jpg",
        "files/p10/p10000032/s53189527/2a2277a9-b0ded155-c0de8eb9-c124d10e-82c5caab.jpg",
        "files/p19/p19999987/s55368167/58766883-376a15ce-3b323a28-6af950a0-16b793bd.jpg",
    ]
    write_images(root, *names)
    table = write_table(
        root / "mimic-cxr-2.0.0-metadata.csv",
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning",
        "02aa804e-bde0afdd-112c0b34-7bc16630-4e384014,10000032,50414267,CHEST (PA AND LAT),PA,3056,2544,21800506,213014.53100000002,CHEST (PA AND LAT),postero-anterior,Erect",
        "174413ec-4ec4c1f7-34ea26b7-c5f994f8-79ef1962,10000032,50414267,CHEST (PA AND LAT),LATERAL,3056,2544,21800506,213014.53100000002,CHEST (PA AND LAT),lateral,Erect",
        "2a2277a9-b0ded155-c0de8eb9-c124d10e-82c5caab,10000032,53189527,,,3056,2544,21800626,4733.5,CHEST (PA AND LAT),,",
        "58766883-376a15ce-3b323a28-6af950a0-16b793bd,19999987,55368167,CHEST (PORTABLE AP),AP,2544,3056,21451104,51448.21799999999,CHEST (PORTABLE AP),antero-posterior,",
    )
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "10000032", "StudyID": "50414267", "StudyDate": "21800506", "StudyTime": "213014.531000", "ViewPosition": "PA", "SeriesNumber": "1", "PerformedProcedureStepDescription": "CHEST (PA AND LAT)"},
            names[1]: {"ViewPosition": "", "SeriesDescription": "lateral", "SeriesNumber": "2", "StudyTime": "213014.531000"},
            names[2]: {"StudyTime": "004733.5", "ViewPosition": "", "SeriesDescription": ""},
            names[3]: {"PatientID": "19999987", "StudyDate": "21451104", "StudyTime": "051448.217999", "ViewPosition": "AP"},
        },
    )  # fmt: skip


def padchest(root: Path) -> Layout:
    """Folders by number, 16 bits, cells that say None, lists as Python writes them, views in words."""
    names = [
        "0/125374151943505747025890313053997514922_j5rk5q.png",
        "10/117677712752528732526839762067921423608_ag14ef.png",
        "27/216840111366964012353534861372972012353112932019_01-129-187.png",
    ]
    made = write_images(root, *names, make=lambda number: gray(number, 16))
    files = [name.partition("/")[2] for name in names]
    table = write_table(
        root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv",
        ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,ViewPosition_DICOM,Projection,MethodProjection,Pediatric,Modality_DICOM,Manufacturer_DICOM,PhotometricInterpretation_DICOM,PixelRepresentation_DICOM,PixelAspectRatio_DICOM,SpatialResolution_DICOM,BitsStored_DICOM,WindowCenter_DICOM,WindowWidth_DICOM,Rows_DICOM,Columns_DICOM,XRayTubeCurrent_DICOM,Exposure_DICOM,ExposureInuAs_DICOM,ExposureTime,RelativeXRayExposure_DICOM,ReportID,Report,MethodLabel,Labels,Localizations,LabelsLocalizationsBySentence,labelCUIS,LocalizationsCUIS",
        f"1691,{files[0]},0,20170124,125374151943505747025890313053997514922,100002652742762245719447501824197948584,1953.0,F,PA,PA,Manual review of DICOM fields,No,DX,PhilipsMedicalSystems,MONOCHROME2,0,None,0.148,12,2047.5,4095,2279,2778,None,1,1200,5,369,5305389, escoliosis . sin hallazg pulmonar,Physician,['scoliosis'],[],\"[['scoliosis'], ['normal'], ['normal']]\",['C0036439'],[]",
        f"28441,{files[1]},10,20171023,117677712752528732526839762067921423608,100008301845755693600822040133468866003,1963.0,M,None,L,resnet-50.t7,No,CR,PhilipsMedicalSystems,MONOCHROME2,0,\"['1', '1']\",0.2000000029802,12,2047.5,4095,2791,2628,None,None,None,None,None,5499322, sign atrap aere .,Physician,\"['COPD signs', 'air trapping']\",[],\"[['COPD signs', 'air trapping'], ['normal']]\",['C0024117' 'C0231819'],[]",
        f"89912,{files[2]},27,20121218,216840111366964012353534861372972012353112932019,100026982716795250809914871389223660538,1973.0,None,POSTEROANTERIOR,PA,Manual review of DICOM fields,No,CR,ImagingDynamicsCompanyLtd,None,0,None,None,12,2177,2100,1764,1948,320,3,3200,10,-1.11,4384412, no apreci infiltr .,RNN_model,['normal'],[],['normal'],[],[]",
    )
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "100002652742762245719447501824197948584", "PatientSex": "F", "StudyDate": "20170124", "Modality": "DX", "ViewPosition": "PA", "SpatialResolution": "0.148", "ImageComments": "['scoliosis']", "PatientBirthDate": ""},
            names[1]: {"PatientSex": "M", "Modality": "CR", "ViewPosition": "", "SpatialResolution": "0.2000000029802", "ImageComments": "['COPD signs', 'air trapping']"},
            names[2]: {"PatientSex": "", "ViewPosition": "PA", "SpatialResolution": "", "SeriesNumber": "1"},
        },
        pixels=made,
    )  # fmt: skip


def vindr_cxr(root: Path) -> Layout:
    """A line for each box of each radiologist."""
    names = ["train/9a5094b2563a1ef3ff50dc5c7ff71345.png", "train/50a418190bc3fb1ef1633bf9678929b3.png"]
    write_images(root, *names)
    table = write_table(
        root / "train.csv",
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max",
        "9a5094b2563a1ef3ff50dc5c7ff71345,Cardiomegaly,3,R10,691.0,1375.0,1653.0,1831.0",
        "50a418190bc3fb1ef1633bf9678929b3,No finding,14,R11,,,,",
        "50a418190bc3fb1ef1633bf9678929b3,No finding,14,R15,,,,",
        "9a5094b2563a1ef3ff50dc5c7ff71345,Aortic enlargement,0,R10,1052.0,715.0,1299.0,966.0",
        "50a418190bc3fb1ef1633bf9678929b3,No finding,14,R16,,,,",
        "9a5094b2563a1ef3ff50dc5c7ff71345,Cardiomegaly,3,R9,701.0,1372.0,1650.0,1830.0",
    )
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "9a5094b2563a1ef3ff50dc5c7ff71345", "ImageComments": "Cardiomegaly; Aortic enlargement"},
            names[1]: {"PatientID": "50a418190bc3fb1ef1633bf9678929b3", "ImageComments": "No finding"},
        },
    )  # fmt: skip


def mura(root: Path) -> Layout:
    """No line of heads; one patient with studies of two parts, both number 1."""
    names = [
        "train/XR_SHOULDER/patient00007/study1_positive/image1.png",
        "train/XR_SHOULDER/patient00007/study1_positive/image2.png",
        "train/XR_SHOULDER/patient00007/study2_negative/image1.png",
        "train/XR_HUMERUS/patient00007/study1_negative/image1.png",
    ]
    write_images(root / "MURA-v1.1", *names)
    table = write_table(root / "MURA-v1.1/train_image_paths.csv", *(f"MURA-v1.1/{name}" for name in names))
    patient = {"PatientID": "patient00007", "Modality": "CR"}
    return Layout(
        table=table,
        rows={
            names[0]: {"StudyID": "SHOULDER 1", "BodyPartExamined": "SHOULDER", "InstanceNumber": "1", "ImageComments": "positive", **patient},
            names[1]: {"StudyID": "SHOULDER 1", "InstanceNumber": "2", **patient},
            names[2]: {"StudyID": "SHOULDER 2", "InstanceNumber": "1", "ImageComments": "negative", **patient},
            names[3]: {"StudyID": "HUMERUS 1", "BodyPartExamined": "HUMERUS", **patient},
        },
    )  # fmt: skip
