//! `nas.space/1`

use nas_plugin_abi::{
    AbiResult, Bytes, Extension, RBox, RSlice, RStr, SpaceModule, SpaceObject, SpaceObject_TO,
    TD_Opaque, WithMetadata,
};
use serde::{Deserialize, Serialize};

use super::cbor::{decode, encode, receive, send};
use super::guard::{Guarded, catch};
use super::library::registered;
use crate::component::{Constructor, OperationInfo, SearchSpace};
use crate::error::PluginError;
use crate::template::{Scale, Template};

pub(super) const ID: &str = "nas.space/1";
pub(super) type Object = SpaceObject_TO<'static, RBox<()>>;

#[derive(Serialize, Deserialize)]
struct TemplateRequest {
    operations: Vec<OperationInfo>,
    scale: Scale,
}

pub(super) fn extension() -> Extension {
    const MODULE: &WithMetadata<SpaceModule> = &WithMetadata::new(SpaceModule { create });
    Extension::new(MODULE)
}

extern "C" fn create(name: RStr<'_>, config: RSlice<'_, u8>) -> AbiResult<Object> {
    send(catch(|| match registered(name.as_str(), |c| matches!(c, Constructor::Space(_)))? {
        Constructor::Space(make) => {
            let component = Exported { component: Guarded::new(make(decode(config.as_slice())?)?) };
            Ok(Object::from_value(component, TD_Opaque))
        }
        _ => Err(PluginError::internal("find a constructor")),
    }))
}

struct Exported {
    component: Guarded<Box<dyn SearchSpace>>,
}

impl SpaceObject for Exported {
    fn template(&self, request: RSlice<'_, u8>) -> AbiResult<Bytes> {
        send(self.component.call(|space| {
            let TemplateRequest { operations, scale } = decode(request.as_slice())?;
            encode(&space.template(&operations, &scale)?)
        }))
    }
}

/// A search space in a loaded library.
pub(super) struct Imported {
    pub(super) object: Object,
}

impl SearchSpace for Imported {
    fn template(
        &self,
        operations: &[OperationInfo],
        scale: &Scale,
    ) -> Result<Template, PluginError> {
        let request = TemplateRequest { operations: operations.to_vec(), scale: scale.clone() };
        decode(&receive(self.object.template(RSlice::from_slice(&encode(&request)?)))?)
    }
}
