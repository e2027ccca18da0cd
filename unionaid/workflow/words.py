"""Acts in words. Acts that move a state are called what their arrow is called; the others are named here."""

from typing import Any

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ACTS: dict[str, str | Promise] = {
    "open": _("开始填写申领"),
    "open_correction": _("开始更正"),
    "open_recovery": _("发起追回"),
    "agree_instalments": _("商定分期退回"),
    "pay_back": _("登记退回款"),
    "take_back": _("撤销退回款的登记"),
    "undo_set_off": _("抵还的申领停付，撤销抵还"),
    "remind_overdue": _("提醒逾期未退"),
    "agree_to_filing": _("本人同意代办"),
    "object_to_filing": _("本人对代办提出异议"),
    "take_over": _("接手同事代收的申领"),
    "file": _("提出申诉"),
    "add_heir": _("登记继承人"),
    "object": _("提出异议"),
    "register": _("登记单位"),
    "save_draft": _("保存草稿"),
    "ask_change": _("提出变更"),
    "change_record": _("变更登记内容"),
    "ask_agent_change": _("申请更换经办人"),
    "change_agent": _("更换经办人"),
    "merge_in": _("并入另一个单位的职工"),
    "split": _("分出一个单位"),
    "carry": _("转移参加记录完成"),
    "enrol": _("登记参加"),
    "remind_unpaid": _("提醒缴费期限"),
    "upload": _("上传名册"),
    "sign_up": _("注册账号"),
    "add_card": _("登记收款账户"),
    "add_child": _("登记子女"),
    "confirm_guardian": _("核对监护关系"),
    "settle_identity": _("核对家人的身份"),
    "add_spouse": _("登记配偶"),
    "ask_correction": _("提出资料更正"),
    "correct": _("更正资料"),
    "ask_departure": _("提出人员变动"),
    "depart": _("人员变动"),
    "end_sight": _("单位不再看到此人"),
    "propose_waiver": _("提出参加人数例外"),
    "propose_correction": _("提出来款更正"),
    "propose_voiding": _("提出作废"),
    "tell_eligibility": _("填写参加条件"),
    "tell_work": _("填写工作单位"),
    "see_id_number": _("查看完整身份证号"),
    "take_return": _("导入银行回盘"),
    "prove": _("再次核实身份"),
    "prove_wrongly": _("再次核实身份未通过"),
    "drop_lines": _("移出批次的明细"),
    "confirm_return": _("确认记入银行回盘"),
    "discard_return": _("移除导入的银行回盘"),
    "take_file": _("下载银行文件"),
    "refuse_return": _("银行回盘没有记完，请再核对"),
    "request": _("申请编制年报"),
    "draft": _("写入条款草稿"),
    "establish": _("核定事实"),
    "bulk": _("申请批量办理"),
    "set_letter": _("修改补件模板"),
    "set_reason": _("修改不予给付的原因"),
    "dismiss_flag": _("排除疑点"),
    "set_rules": _("修改审核设置"),
    "ask_pack": _("申请生成凭证包"),
    "take_last_list": _("下载上期名单"),
    "freeze": _("年报定稿"),
    "rehearse": _("申请测算条款"),
    "finish_rehearsal": _("测算完成"),
    "retry": _("让任务再试一次"),
    "send_again": _("再发一次通知"),
    "upload_statement": _("导入银行流水"),
    "enter": _("登记来款"),
    "add_slip": _("上传缴费凭据"),
    "reduce": _("减收互助费"),
    "propose_closing": _("申请结账"),
    "enter_balance": _("登记对账单余额"),
    "say_debited": _("说明银行已扣款的批次"),
    "say_undebited": _("说明银行还没有扣款的批次"),
    "propose_movement": _("登记资金拨入与调剂"),
    "propose": _("提出退款"),
    "ask_erasure": _("提出删除个人信息"),
    "erase": _("删除个人信息"),
    "see_account": _("查看完整收款账号"),
    "change_office": _("修改机构信息"),
    "give_post": _("任命岗位"),
    "confirm_post": _("确认任命"),
    "refuse_post": _("不同意任命"),
    "end_post": _("结束岗位"),
    "make_login": _("新建账号"),
    "reset_password": _("重设密码"),
    "ask_drop_factor": _("提请解除动态验证码"),
    "keep_factor": _("不解除动态验证码"),
    "drop_factor": _("解除动态验证码"),
    "close_login": _("停用账号"),
    "open_login": _("恢复账号"),
}


def act_words(entity: str, action: str) -> str | Promise:
    """What an act on this kind of thing is called."""
    graph = getattr(_model(entity), "graph", None)
    known = {arrow.action: arrow.label for arrow in graph.arrows} if graph else {}
    return known.get(action) or ACTS.get(action) or _("其他办理")


def thing_words(entity: str) -> str | Promise:
    """What this kind of thing is called."""
    model = _model(entity)
    return model._meta.verbose_name if model else _("其他")


def state_words(entity: str, state: str) -> str | Promise:
    """What a state of this kind of thing is called; nothing for no state."""
    graph = getattr(_model(entity), "graph", None)
    known = {one.code: one.label for one in graph.states} if graph else {}
    return known.get(state, "")


def _model(entity: str) -> Any:
    try:
        return apps.get_model(entity)
    except (LookupError, ValueError):
        return None
