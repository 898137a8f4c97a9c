//! What the platforms call their columns and statuses in the files that merchants export. Names differ by platform
//! and by year: every spelling seen stands here, a new one is a new word in a list. Must never hold anything but data
//! and its lookup.

use super::files::Format;
use crate::model::OrderStatus;
use crate::text::normalize::fold_width;

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Field {
    OrderNo,
    Status,
    Refund,
    Number,
    Carrier,
    /// Douyin's lists of `number-carrier`.
    Parcels,
    Receiver,
    Phone,
    Address,
    /// A part of the address: province, city, …
    AddressPart,
    Buyer,
    Created,
    Paid,
    Shipped,
    Finished,
    Title,
    Sku,
    Quantity,
}

use Field::*;

/// Field, platform that alone writes so, spellings after [`header`]. An earlier spelling wins over a later one.
const COLUMNS: &[(Field, Option<Format>, &[&str])] = &[
    (OrderNo, Some(Format::Douyin), &["主订单编号", "主订单号"]),
    (OrderNo, None, &["订单编号", "订单号", "原始单号", "平台单号", "网店订单号"]),
    (OrderNo, None, &["order_no", "order_number", "orderno", "orderid", "order_id", "order"]),
    (Status, None, &["订单状态", "交易状态", "状态", "status", "order_status"]),
    (Refund, None, &["售后状态", "退款状态", "refund_status"]),
    (Number, None, &["物流单号", "运单号", "快递单号", "运单编号", "物流运单号", "快递运单号"]),
    (Number, None, &["tracking_number", "tracking_no", "trackingnumber", "tracking"]),
    (Carrier, None, &["物流公司", "快递公司", "承运商", "承运商/物流公司", "快递", "物流公司名称"]),
    (Carrier, None, &["carrier", "shipping_company"]),
    (Parcels, Some(Format::Douyin), &["快递信息"]),
    (Receiver, Some(Format::Taobao), &["收货人姓名"]),
    (Receiver, Some(Format::Jd), &["客户姓名"]),
    (Receiver, None, &["收货人", "收件人", "收件人姓名", "receiver", "recipient", "name"]),
    (Phone, Some(Format::Taobao), &["联系手机"]),
    (Phone, Some(Format::Douyin), &["收件人手机号"]),
    (
        Phone,
        None,
        &["手机", "手机号", "手机号码", "收货人手机", "收件人手机", "联系电话", "电话", "phone", "mobile"],
    ),
    (Address, Some(Format::Jd), &["客户地址"]),
    (Address, None, &["收货地址", "地址", "收件地址", "收件人地址", "address"]),
    (AddressPart, None, &["省", "省份", "市", "城市", "区", "区县", "街道", "详细地址"]),
    (Buyer, Some(Format::Taobao), &["买家会员名"]),
    (Buyer, Some(Format::Jd), &["下单帐号", "下单账号"]),
    (Buyer, None, &["买家昵称", "网名", "buyer", "buyer_id"]),
    (Created, Some(Format::Taobao), &["订单创建时间"]),
    (Created, Some(Format::Pdd), &["订单成交时间"]),
    (Created, Some(Format::Jd), &["下单时间"]),
    (Created, Some(Format::Douyin), &["订单提交时间"]),
    (Created, None, &["创建时间", "created_at"]),
    (Paid, Some(Format::Taobao), &["订单付款时间"]),
    (Paid, Some(Format::Jd), &["付款确认时间"]),
    (Paid, Some(Format::Douyin), &["支付完成时间"]),
    (Paid, None, &["支付时间", "付款时间", "paid_at"]),
    (Shipped, None, &["发货时间", "shipped_at"]),
    (Finished, None, &["确认收货时间", "订单完成时间", "完成时间", "updated_at"]),
    (Title, Some(Format::Taobao), &["宝贝标题"]),
    (Title, Some(Format::Douyin), &["选购商品"]),
    (Title, None, &["商品名称", "商品", "标题", "商品标题", "title", "product", "item"]),
    (Sku, None, &["商家编码", "商品编码", "商家编码-规格维度", "sku"]),
    (Quantity, Some(Format::Taobao), &["宝贝总数量"]),
    (Quantity, Some(Format::Jd), &["订购数量"]),
    (Quantity, None, &["商品数量", "数量", "quantity", "qty"]),
];

/// Headers that carry nothing for us but tell whose file it is.
const MARKS: &[(Format, &[&str])] = &[
    (Format::Taobao, &["宝贝种类", "买家实际支付金额", "买家应付货款"]),
    (Format::Pdd, &["用户实付金额", "商家实收金额"]),
    (Format::Jd, &["应付金额", "京东价"]),
    (Format::Douyin, &["子订单编号", "订单应付金额", "达人昵称"]),
];

/// A header cell as it is compared: without BOM, tabs, quotes, stars, and brackets with what is in them.
pub(super) fn header(cell: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for c in fold_width(cell).chars() {
        match c {
            '(' | '[' | '【' => depth += 1,
            ')' | ']' | '】' => depth = depth.saturating_sub(1),
            '"' | '\'' | '“' | '”' | '*' | '=' | '\u{feff}' => {}
            c if depth > 0 || c.is_control() => {}
            c => kept.extend(c.to_lowercase()),
        }
    }
    let words: Vec<&str> = kept.split_whitespace().collect();
    words.join(if kept.is_ascii() { "_" } else { "" })
}

/// The columns of each field, the best spelling first.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns(Vec<(Field, usize)>);

impl Columns {
    /// Reads a row as a header. `None`: it is none, since an order number with something to say about it is missing.
    pub(super) fn read(names: &[String]) -> Option<Self> {
        let mut found = Vec::new();
        for (field, _, spellings) in COLUMNS {
            for spelling in *spellings {
                let at = names.iter().enumerate().filter(|(_, name)| name == spelling);
                found.extend(at.map(|(at, _)| (*field, at)));
            }
        }
        let columns = Self(found);
        let tells = [Number, Parcels, Status].iter().any(|field| columns.has(*field));
        (columns.has(OrderNo) && tells).then_some(columns)
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.of(field).next().is_some()
    }

    pub(super) fn of(&self, field: Field) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().filter(move |(of, _)| *of == field).map(|(_, at)| *at)
    }
}

/// Whose file it is: the platform with the most headers that it alone writes.
pub(super) fn platform(names: &[String]) -> Format {
    let own = COLUMNS.iter().filter_map(|(_, platform, words)| Some(((*platform)?, *words)));
    let own: Vec<(Format, &[&str])> = own.chain(MARKS.iter().copied()).collect();
    let hits = |format: Format| {
        let words = own.iter().filter(|(of, _)| *of == format).flat_map(|(_, words)| words.iter());
        words.filter(|word| names.iter().any(|name| name == *word)).count()
    };
    [Format::Taobao, Format::Jd, Format::Pdd, Format::Douyin]
        .into_iter()
        .map(|format| (hits(format), format))
        .rfold((0, Format::Generic), |best, next| if next.0 > best.0 { next } else { best })
        .1
}

/// What a status word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Status(OrderStatus),
    /// A status that says nothing of the order's progress: locked, paused.
    Nothing,
}

const STATUSES: &[(OrderStatus, &[&str])] = &[
    (
        OrderStatus::Created,
        &["等待买家付款", "待付款", "待支付", "未付款", "未支付", "等待付款", "created", "pending", "unpaid"],
    ),
    (
        OrderStatus::Paid,
        &[
            "买家已付款",
            "等待卖家发货",
            "买家已付款等待卖家发货",
            "待发货",
            "未发货",
            "备货中",
            "已付款",
            "已支付",
            "等待出库",
            "等待发货",
            "待出库",
            "paid",
            "processing",
        ],
    ),
    (OrderStatus::PartiallyShipped, &["部分发货", "卖家部分发货", "partially_shipped"]),
    (
        OrderStatus::Shipped,
        &[
            "卖家已发货",
            "卖家已发货等待买家确认",
            "等待买家确认收货",
            "已发货",
            "已发货待签收",
            "已发货待收货",
            "待收货",
            "待签收",
            "等待确认收货",
            "等待收货",
            "已揽件",
            "已出库",
            "运输中",
            "shipped",
        ],
    ),
    (OrderStatus::Delivered, &["已签收", "买家已签收", "delivered"]),
    (
        OrderStatus::Completed,
        &[
            "交易成功",
            "交易完成",
            "已确认收货",
            "待评价",
            "已评价",
            "已完成",
            "完成",
            "已收货",
            "确认收货",
            "completed",
            "finished",
        ],
    ),
    (
        OrderStatus::Closed,
        &[
            "交易关闭",
            "已关闭",
            "关闭",
            "已取消",
            "取消",
            "订单取消",
            "退款成功",
            "已退款",
            "closed",
            "cancelled",
            "canceled",
        ],
    ),
    (OrderStatus::Refunding, &["退款中", "售后中", "售后处理中", "退款处理中", "refunding"]),
];

const SILENT: &[&str] = &["锁定", "已锁定", "暂停", "locked", "paused"];

/// JD writes so before the status of an order that was deleted.
const DELETED: &str = "(删除)";

/// A status word. PDD joins the order's and the refund's: 「已发货，退款成功」; the refund's is the news.
pub(super) fn status(word: &str) -> Option<Told> {
    let word = fold_width(word);
    if word.trim().starts_with(DELETED) {
        return Some(Told::Status(OrderStatus::Closed));
    }
    let bare = header(&word);
    let joined: String = bare.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let one = |word: &str| {
        STATUSES.iter().find(|(_, words)| words.contains(&word)).map(|(status, _)| Told::Status(*status))
    };
    if SILENT.contains(&joined.as_str()) {
        return Some(Told::Nothing);
    }
    one(&joined).or_else(|| {
        let parts: Vec<Option<Told>> = bare.split([',', ';', '、', '。']).map(one).collect();
        parts.into_iter().collect::<Option<Vec<_>>>()?.pop()
    })
}

/// How a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refunds {
    None,
    Running,
    Done,
}

const NO_REFUND: &[&str] =
    &["无售后", "售后关闭", "售后取消", "退款关闭", "没有申请退款", "未申请", "拒绝", "撤销", "none"];
const REFUNDED: &[&str] = &["退款成功", "售后完成", "已退款", "退款完成", "refunded"];

/// A refund word; one that is not known counts as a refund that runs.
pub(super) fn refund(word: &str) -> Refunds {
    let word = fold_width(word).to_lowercase();
    let says = |words: &[&str]| words.iter().any(|one| word.contains(one));
    if is_nothing(&word) || says(NO_REFUND) {
        Refunds::None
    } else if says(REFUNDED) {
        Refunds::Done
    } else {
        Refunds::Running
    }
}

/// What merchants and platforms write into a cell that has nothing to say.
const NOTHING: &[&str] =
    &["", "-", "--", "/", "无", "暂无", "空", "null", "none", "n/a", "无需物流", "不需要物流", "无需发货"];

/// Whether a cell says nothing.
pub(super) fn is_nothing(cell: &str) -> bool {
    NOTHING.contains(&cell.trim().to_lowercase().as_str())
}

/// The word between a phone and its extension.
pub(super) const EXTENSION: char = '转';
