//! What a column of a file can be, and what its name says that it is.

use crate::custom_field::Definition;
use serde::Deserialize;

/// What the cells of a column become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Phone,
    FullName,
    Email,
    Company,
    JobTitle,
    Notes,
    Birthday,
    LifecycleStage,
    Street,
    City,
    State,
    Country,
    Zip,
    Tags,
    /// By position in the definitions.
    Custom(usize),
}

/// A column and its field as a person chose it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapped {
    pub index: usize,
    pub field: String,
}

const FIELDS: [(&str, Field, &[&str]); 14] = [
    (
        "phone",
        Field::Phone,
        &[
            "phone",
            "phonenumber",
            "phoneno",
            "mobile",
            "mobilephone",
            "mobilenumber",
            "mobileno",
            "handphone",
            "handphonenumber",
            "hp",
            "hpno",
            "nohp",
            "cell",
            "cellphone",
            "contactnumber",
            "contactno",
            "tel",
            "telno",
            "telephone",
            "telephonenumber",
            "whatsapp",
            "whatsappnumber",
            "whatsappno",
            "waid",
            "notelefon",
            "nombortelefon",
            "telefon",
            "notel",
            "nomtelefon",
            "nombortel",
            "telefonbimbit",
            "notelefonbimbit",
            "nombortelefonbimbit",
            "nowhatsapp",
            "nomborwhatsapp",
            "phone1value",
            "msisdn",
        ],
    ),
    (
        "full_name",
        Field::FullName,
        &[
            "name",
            "fullname",
            "contactname",
            "customername",
            "displayname",
            "customer",
            "nama",
            "namapenuh",
            "namapelanggan",
            "pelanggan",
            "namakontak",
        ],
    ),
    (
        "email",
        Field::Email,
        &[
            "email",
            "emailaddress",
            "mail",
            "emel",
            "alamatemel",
            "email1value",
            "alamatemail",
        ],
    ),
    (
        "company",
        Field::Company,
        &[
            "company",
            "companyname",
            "organisation",
            "organization",
            "business",
            "businessname",
            "employer",
            "organization1name",
            "syarikat",
            "namasyarikat",
            "organisasi",
            "perniagaan",
        ],
    ),
    (
        "job_title",
        Field::JobTitle,
        &[
            "jobtitle",
            "title",
            "position",
            "role",
            "designation",
            "jawatan",
            "pekerjaan",
            "occupation",
        ],
    ),
    (
        "notes",
        Field::Notes,
        &[
            "notes", "note", "comment", "comments", "remark", "remarks", "catatan", "nota", "ulasan",
        ],
    ),
    (
        "birthday",
        Field::Birthday,
        &[
            "birthday",
            "birthdate",
            "dateofbirth",
            "dob",
            "tarikhlahir",
            "harijadi",
            "tarikhkelahiran",
        ],
    ),
    (
        "lifecycle_stage",
        Field::LifecycleStage,
        &["lifecyclestage", "lifecycle", "stage", "peringkat"],
    ),
    (
        "address.street",
        Field::Street,
        &[
            "address",
            "street",
            "addressstreet",
            "streetaddress",
            "address1",
            "addressline1",
            "alamat",
            "jalan",
        ],
    ),
    (
        "address.city",
        Field::City,
        &["city", "town", "addresscity", "bandar", "bandaraya"],
    ),
    (
        "address.state",
        Field::State,
        &["state", "province", "region", "addressstate", "negeri"],
    ),
    (
        "address.country",
        Field::Country,
        &["country", "addresscountry", "negara"],
    ),
    (
        "address.zip",
        Field::Zip,
        &["zip", "zipcode", "postcode", "postalcode", "addresszip", "poskod"],
    ),
    (
        "tags",
        Field::Tags,
        &[
            "tags", "tag", "label", "labels", "tanda", "kategori", "category", "groups",
        ],
    ),
];

/// Parts of a name, taken together where no column has the whole.
const NAME_PARTS: [&str; 8] = [
    "firstname",
    "givenname",
    "lastname",
    "surname",
    "familyname",
    "namapertama",
    "namaakhir",
    "namakeluarga",
];

impl Field {
    pub fn from_name(name: &str, custom: &[Definition]) -> Option<Self> {
        match name.strip_prefix("custom.") {
            Some(key) => custom
                .iter()
                .position(|definition| definition.key == key)
                .map(Self::Custom),
            None => FIELDS
                .iter()
                .find(|(known, ..)| *known == name)
                .map(|found| found.1),
        }
    }

    /// Several columns can make up a name, notes and tags; anything else has one.
    pub fn takes_several(self) -> bool {
        matches!(self, Self::FullName | Self::Notes | Self::Tags)
    }
}

/// Lower case, letters and digits only: `No. Telefon` and `no_telefon` are one name.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether the name is one that a column of contacts has.
pub(crate) fn is_known_name(name: &str, custom: &[Definition]) -> bool {
    let name = plain(name);
    !name.is_empty()
        && (NAME_PARTS.contains(&name.as_str())
            || FIELDS.iter().any(|(_, _, names)| names.contains(&name.as_str()))
            || custom.iter().any(|definition| is_name_of(definition, &name)))
}

fn is_name_of(definition: &Definition, name: &str) -> bool {
    plain(&definition.label) == name || plain(&definition.key) == name
}

/// For each column the field its name suggests, or none. No field that takes one column is suggested twice.
pub fn suggest(names: &[String], custom: &[Definition]) -> Vec<Option<String>> {
    let plain_names: Vec<_> = names.iter().map(|name| plain(name)).collect();
    let mut taken = Vec::new();
    let mut suggestions: Vec<Option<String>> = vec![None; names.len()];
    for (index, name) in plain_names
        .iter()
        .enumerate()
        .filter(|(_, name)| !name.is_empty())
    {
        let own = custom.iter().find(|definition| is_name_of(definition, name));
        let found = match own {
            Some(definition) => Some(format!("custom.{}", definition.key)),
            None => FIELDS
                .iter()
                .find(|(_, _, names)| names.contains(&name.as_str()))
                .map(|(field, ..)| (*field).to_owned()),
        };
        if let Some(field) = found
            && !taken.contains(&field)
        {
            taken.push(field.clone());
            suggestions[index] = Some(field);
        }
    }
    if !taken.iter().any(|field| field == "full_name") {
        for (index, name) in plain_names.iter().enumerate() {
            if suggestions[index].is_none() && NAME_PARTS.contains(&name.as_str()) {
                suggestions[index] = Some("full_name".into());
            }
        }
    }
    suggestions
}
