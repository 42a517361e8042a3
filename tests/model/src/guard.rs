//! The guards of the design, each of which can be taken out.
//!
//! Owns their names. Invariant: with none taken out the model is the design; a test takes each out and names the property
//! that breaks.

/// Something that the design does to be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// One flight at a time on the host (G1).
    RefreshLock,
    /// The lock is the kernel's: a kill frees it (G12).
    KernelLock,
    /// The store is read again inside the lock (G7).
    ReadInsideTheLock,
    /// What was read inside the lock is asked again whether it does (G7).
    WantCheckedInsideTheLock,
    /// A flight makes two exchanges at most (G10).
    TwoExchangesAFlight,
    /// The intent is written only if the credential is still the one that was read (G22).
    IntentCompares,
    /// There is an intent (G19).
    Intent,
    /// It is durable before the send, not after.
    IntentBeforeTheSend,
    /// It is durable, not in the process's memory.
    IntentInTheStore,
    /// A third attempt waits for a durable back-off (G19).
    AttemptsAreBounded,
    /// The back-off after attempt two is written down (G19).
    UncertainIsWrittenDown,
    /// So is one after each later attempt, a killed one included: an intent ends the back-off that allowed it.
    EachTryWaits,
    /// A refresh on a caller's word alone is not repeated at once (G15).
    ForcedOnce,
    /// What is stored of a back-off is honoured (G16).
    BackOffHonoured,
    /// A strict server is not asked a second time while the access token serves (G19).
    Hold,
    /// A refusal for the moment puts the intent before it back, with its attempt (G16).
    PutBackKeepsTheAttempt,
    /// A newer sign-in of the same account forbids another attempt (G19).
    SiblingRule,
    /// It is looked for once more when the intent is durable, and so is one of this tenant.
    SiblingsLookedForAgain,
    /// The save compares (G22).
    SaveCompares,
    /// It compares the credential's id, not the generation alone.
    SaveComparesTheId,
    /// A save that finds its own tokens stored has succeeded (G21).
    SaveKnowsItsOwn,
    /// The outcome is written only to the credential that was read (G18).
    MarkCompares,
    /// The lock is held until the rotation is durable (G21).
    LockHeldUntilDurable,
    /// Nobody is handed a token before it is durable (G21).
    DurableBeforePublished,
    /// Room is set aside before the request (G21).
    RoomSetAside,
    /// The next holder looks into the room (G21).
    RescueRead,
    /// What it finds there is compared before it is stored (G22).
    RescueCompares,
    /// The room is not given back while it holds the only copy.
    RoomKeptWhileUnsaved,
}
