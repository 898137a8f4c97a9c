//! stub
use std::sync::Arc;
#[derive(Debug,Clone,Copy,PartialEq,Eq)] pub enum Language { Zh, ZhHant, En, Other }
impl Language { pub fn tag(self)->&'static str{ match self {Self::Zh=>"zh",Self::ZhHant=>"zh-Hant",Self::En=>"en",Self::Other=>"und"} } }
#[derive(Debug,Clone)] pub struct Understood { pub intent: Arc<str>, pub confidence: f32, pub also: Option<Arc<str>>, pub language: Language, pub slots: crate::text::numbers::Slots, pub answer: Option<Arc<str>>, pub alone: bool }
pub struct Matcher; impl Matcher { pub fn read(&self,_:&str)->Understood{ Understood{intent:"track".into(),confidence:1.0,also:None,language:Language::Zh,slots:Default::default(),answer:None,alone:true} } }
impl Matcher { pub fn empty()->Self{Self} }
