"""Datasets of other images in small: skin, eyes, breasts, slices of CT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.datasets.layouts import Layout, color, gray, write_images, write_table

if TYPE_CHECKING:
    from pathlib import Path


def ham10000(root: Path) -> Layout:
    """Two folders; two images of a lesion, sex and place unknown, age 0."""
    names = [
        "HAM10000_images_part_1/ISIC_0027419.jpg",
        "HAM10000_images_part_1/ISIC_0025030.jpg",
        "HAM10000_images_part_2/ISIC_0031633.jpg",
        "HAM10000_images_part_2/ISIC_0034320.jpg",
    ]
    write_images(root, *names, make=color)
    table = write_table(
        root / "HAM10000_metadata.csv",
        "lesion_id,image_id,dx,dx_type,age,sex,localization",
        "HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp",
        "HAM_0000118,ISIC_0025030,bkl,histo,80.0,male,scalp",
        "HAM_0001466,ISIC_0031633,nv,follow_up,0.0,female,lower extremity",
        "HAM_0004620,ISIC_0034320,mel,consensus,,unknown,acral",
    )
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "HAM_0000118", "PatientSex": "M", "BodyPartExamined": "SCALP", "PatientAge": ""},
            names[1]: {"PatientID": "HAM_0000118", "StudyID": "ISIC_0025030", "ImageComments": "bkl (histo)"},
            names[2]: {"PatientSex": "F", "BodyPartExamined": "LOWERLIMB", "Modality": "XC"},
            names[3]: {"PatientSex": "", "BodyPartExamined": "", "ImageComments": "mel (consensus)"},
        },
    )


def ham10000_tab(root: Path) -> Layout:
    """The table as the archive gives it: divided by tabs, texts in quotes, a column more."""
    name = "HAM10000_images_part_2/ISIC_0031633.jpg"
    write_images(root, name, make=color)
    table = write_table(
        root / "HAM10000_metadata.tab",
        "lesion_id\timage_id\tdx\tdx_type\tage\tsex\tlocalization\tdataset",
        '"HAM_0001466"\t"ISIC_0031633"\t"bkl"\t"histo"\t75.0\t"male"\t"ear"\t"vidir_modern"',
    )
    return Layout(table=table, rows={name: {"PatientID": "HAM_0001466", "BodyPartExamined": "EAR"}})


def eyepacs(root: Path) -> Layout:
    """The side and the patient in the image's name."""
    names = ["train/10_left.jpeg", "train/10_right.jpeg", "train/13_left.jpeg"]
    write_images(root, *names, make=color)
    table = write_table(root / "trainLabels.csv", "image,level", "10_left,0", "10_right,1", "13_left,4")
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "10", "ImageLaterality": "L", "InstanceNumber": "1", "Modality": "OP"},
            names[1]: {"PatientID": "10", "ImageLaterality": "R", "InstanceNumber": "2"},
            names[2]: {"PatientID": "13", "ImageComments": "proliferative diabetic retinopathy"},
        },
    )


def busi(root: Path) -> Layout:
    """Folders by class, names with spaces and brackets, masks beside the images; no table."""
    folder = root / "Dataset_BUSI_with_GT"
    write_images(folder, "benign/benign (1).png", "malignant/malignant (20).png", make=color)
    write_images(folder, "normal/normal (5).png", "benign/benign (1)_mask.png", "benign/benign (1)_mask_1.png")
    common = {"PatientSex": "F", "Modality": "US", "BodyPartExamined": "BREAST"}
    return Layout(
        table=root / "busi.csv",
        rows={
            "Dataset_BUSI_with_GT/benign/benign (1).png": {"PatientID": "benign (1)", "ImageComments": "benign", **common},
            "Dataset_BUSI_with_GT/malignant/malignant (20).png": {"PatientID": "malignant (20)", **common},
            "Dataset_BUSI_with_GT/normal/normal (5).png": {"PatientID": "normal (5)", "ImageComments": "normal", **common},
        },
    )  # fmt: skip


def kermany_oct2017(root: Path) -> Layout:
    """Disease, patient and number in the name; a folder whose name ends in a space; one patient with two diseases."""
    names = [
        "OCT2017 /train/CNV/CNV-1016042-1.jpeg",
        "OCT2017 /train/CNV/CNV-1016042-122.jpeg",
        "OCT2017 /train/DRUSEN/DRUSEN-1001666-1.jpeg",
        "OCT2017 /train/NORMAL/NORMAL-1001666-1.jpeg",
    ]
    write_images(root, *names)
    return Layout(
        table=root / "oct.csv",
        rows={
            names[0]: {"PatientID": "1016042", "StudyID": "CNV", "InstanceNumber": "1", "Modality": "OPT"},
            names[1]: {
                "PatientID": "1016042",
                "InstanceNumber": "122",
                "ImageComments": "choroidal neovascularization",
            },
            names[2]: {"PatientID": "1001666", "StudyID": "DRUSEN"},
            names[3]: {"PatientID": "1001666", "StudyID": "NORMAL", "ImageComments": "normal"},
        },
    )


def huggingface_imagefolder(root: Path) -> Layout:
    """The table in the folder of the images, with a column of its own."""
    write_images(root, "train/0001.png", "train/glioma/0002.png")
    table = write_table(root / "train/metadata.csv", "file_name,label", "0001.png,0", "glioma/0002.png,1")
    return Layout(
        table=table,
        rows={"0001.png": {"PatientID": "", "Modality": "OT"}, "glioma/0002.png": {"PatientID": "", "SeriesNumber": "1"}},
    )  # fmt: skip


def huggingface_imagefolder_json(root: Path) -> Layout:
    """The same as JSON lines."""
    write_images(root, "0001.jpg", "0002.jpg", make=color)
    table = write_table(
        root / "metadata.jsonl",
        '{"file_name": "0001.jpg", "text": "a \\"quoted\\" caption, with a comma"}',
        '{"file_name": "0002.jpg", "text": null}',
    )
    return Layout(table=table, rows={"0001.jpg": {"PatientID": ""}, "0002.jpg": {"PatientID": ""}})


def deeplesion(root: Path) -> Layout:
    """16 bits with 32768 for 0 HU; two lines for two lesions of one slice; a slice that the table doesn't name."""
    names = [
        "Images_png/000089_01_01/037.png",
        "Images_png/000091_03_01/093.png",
        "Images_png/000092_02_03/212.png",
        "Images_png/000089_01_01/036.png",
    ]
    made = write_images(root, *names, make=lambda number: 31744 + gray(number, 16) // 22)
    said = {
        "lesion": '"154.273, 176.808, 143.903, 209.029","132.977, 171.808, 165.939, 214.029","33.8477, 24.7578"',
        "where": '"0.282373, 0.333694, 0.546692",-1,0,"31, 43"',
    }
    table = write_table(
        root / "DL_info.csv",
        "File_name,Patient_index,Study_index,Series_ID,Key_slice_index,Measurement_coordinates,Bounding_boxes,Lesion_diameters_Pixel_,Normalized_lesion_location,Coarse_lesion_type,Possibly_noisy,Slice_range,Spacing_mm_px_,Image_size,DICOM_windows,Patient_gender,Patient_age,Train_Val_Test",
        f'000089_01_01_037.png,89,1,1,37,{said["lesion"]},{said["where"]},"0.859375, 0.859375, 5","512, 512","-175, 275",F,71,1',
        f'000091_03_01_093.png,91,3,1,93,{said["lesion"]},{said["where"]},"0.929688, 0.929688, 2","512, 512","-175, 275",M,26,3',
        f'000091_03_01_093.png,91,3,1,93,{said["lesion"]},{said["where"]},"0.929688, 0.929688, 2","512, 512","-175, 275",M,26,3',
        f'000092_02_03_212.png,92,2,3,212,{said["lesion"]},{said["where"]},"0.75, 0.859375, 1","512, 512","-177.5, 307.5",,,1',
    )
    hu = {"Modality": "CT", "RescaleIntercept": "-32768", "RescaleSlope": "1", "RescaleType": "HU"}
    return Layout(
        table=table,
        rows={
            names[0]: {"PatientID": "000089", "PatientSex": "F", "PatientAge": "071Y", "InstanceNumber": "37", **hu},
            names[1]: {"PatientID": "000091", "StudyID": "03", "PixelSpacing": "[0.929688, 0.929688]", **hu},
            names[2]: {"SeriesNumber": "03", "PatientSex": "", "PixelSpacing": "[0.859375, 0.75]", **hu},
        },
        pixels={name: made[name] for name in names[:3]},
    )


def cbis_ddsm_jpeg(root: Path) -> Layout:
    """Full mammograms among crops and masks, and a line that doesn't say what it is; numbers as pandas writes them."""
    uid = "1.3.6.1.4.1.9590.100.1.2."
    names = [f"jpeg/{uid}{n}/{name}" for n, name in enumerate(("1-249.jpg", "1-173.jpg", "2-241.jpg", "1-1.jpg"), 10)]
    write_images(root, *names)
    said = [
        ("Mass-Training_P_01265_RIGHT_MLO_1", "cropped images", "R", "MLO", "131732.685"),
        ("Mass-Training_P_01265_RIGHT_MLO", "full mammogram images", "", "MLO", "214951.0"),
        ("Calc-Test_P_00038_LEFT_CC", "full mammogram images", "L", "CC", "4733.0"),
        ("Calc-Test_P_00038_LEFT_MLO", "", "", "", ""),
    ]
    lines = [
        f"CBIS-DDSM/dicom/{uid}{n}/1-1.dcm,CBIS-DDSM/{name},,16,16,BREAST,2911,20160426,131732.685,WSD,15,1,65535,{side},MG,,{patient},{patient},{view},,MONOCHROME2,0,,5386,1.2.840.10008.5.1.4.1.1.7,{uid}4{n},1,MathWorks,MATLAB,{kind},{uid}{n},1,0,ISO_IR 100,20160720.0,DDSM,{uid}3{n},{time}"
        for n, (name, (patient, kind, side, view, time)) in enumerate(zip(names, said, strict=True), 10)
    ]
    table = write_table(
        root / "csv/dicom_info.csv",
        "file_path,image_path,AccessionNumber,BitsAllocated,BitsStored,BodyPartExamined,Columns,ContentDate,ContentTime,ConversionType,HighBit,InstanceNumber,LargestImagePixelValue,Laterality,Modality,PatientBirthDate,PatientID,PatientName,PatientOrientation,PatientSex,PhotometricInterpretation,PixelRepresentation,ReferringPhysicianName,Rows,SOPClassUID,SOPInstanceUID,SamplesPerPixel,SecondaryCaptureDeviceManufacturer,SecondaryCaptureDeviceManufacturerModelName,SeriesDescription,SeriesInstanceUID,SeriesNumber,SmallestImagePixelValue,SpecificCharacterSet,StudyDate,StudyID,StudyInstanceUID,StudyTime",
        *lines,
    )
    return Layout(
        table=table,
        images=root,
        rows={
            names[1]: {"PatientID": "P_01265", "ImageLaterality": "R", "ImageComments": "MLO", "StudyInstanceUID": f"{uid}311", "StudyDate": "20160720", "StudyTime": "214951"},
            names[2]: {"PatientID": "P_00038", "ImageLaterality": "L", "ImageComments": "CC", "StudyTime": "004733", "Modality": "MG"},
        },
    )  # fmt: skip
