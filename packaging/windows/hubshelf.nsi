; The installer for Windows. package_windows.py calls makensis with
;   /DVERSION=1.2.3  /DNUMBERS=1.2.3.0  /DSOURCE=FOLDER  /DOUT=FILE  /DICON=FILE  /DKIB=SIZE  and, where there is one, /DTARGET=amd64-unicode
;
; Silent: setup.exe /S [/AllUsers | /CurrentUser] [/D=C:\Folder]   (/D last, without quotes)
; Exit codes: 0 done, 1 a person gave up, 2 something failed, 32 Hubshelf is open and nothing was changed.

!ifdef TARGET
  Target ${TARGET}
!endif
Unicode true
ManifestDPIAware true
!ifdef QUICK
  SetCompressor zlib
!else
  SetCompressor /SOLID lzma
  SetCompressorDictSize 64
!endif

!define NAME "Hubshelf"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}"
!define PATHS "Software\Microsoft\Windows\CurrentVersion\App Paths"

!define MULTIUSER_EXECUTIONLEVEL Highest
!define MULTIUSER_MUI
!define MULTIUSER_INSTALLMODE_COMMANDLINE
!define MULTIUSER_USE_PROGRAMFILES64
!define MULTIUSER_INSTALLMODE_INSTDIR "${NAME}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_KEY "${UNINSTALL}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_VALUENAME "InstallLocation"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_KEY "${UNINSTALL}"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_VALUENAME "InstallLocation"
!include MultiUser.nsh
!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh

!ifdef SIGN
  !uninstfinalize '${SIGN} "%1"'
!endif
Name "${NAME}"
OutFile "${OUT}"
BrandingText "${NAME} ${VERSION}"
ShowInstDetails nevershow
ShowUninstDetails nevershow
VIProductVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "${NAME}"
VIAddVersionKey "FileDescription" "${NAME} ${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "The Hubshelf team, Apache License 2.0"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "$INSTDIR\hubshelfw.exe"
!insertmacro MUI_PAGE_WELCOME
!insertmacro MULTIUSER_PAGE_INSTALLMODE
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "French"
!insertmacro MUI_LANGUAGE "Arabic"
!insertmacro MUI_LANGUAGE "Portuguese"
!insertmacro MUI_LANGUAGE "Spanish"

LangString IN_USE ${LANG_ENGLISH} "Hubshelf is open. Close it, then try again. Nothing was changed."
LangString IN_USE ${LANG_FRENCH} "Hubshelf est ouvert. Fermez-le, puis réessayez. Rien n’a été changé."
LangString IN_USE ${LANG_ARABIC} "برنامج Hubshelf مفتوح. أغلقه ثم حاول مرة أخرى. لم يتغير شيء."
LangString IN_USE ${LANG_PORTUGUESE} "O Hubshelf está aberto. Feche-o e tente de novo. Nada foi alterado."
LangString IN_USE ${LANG_SPANISH} "Hubshelf está abierto. Ciérrelo e inténtelo de nuevo. No se ha cambiado nada."

!define TASK "Hubshelf library"
; Windows itself, administrators, and LOCAL SERVICE.
!define KEEPERS "/grant *S-1-5-18:(OI)(CI)F /grant *S-1-5-32-544:(OI)(CI)F /grant *S-1-5-19:(OI)(CI)M"

; What keeps the PC's library in step has the program open for some seconds every quarter of an hour.
!macro end_task
  ${If} $MultiUser.InstallMode == "AllUsers"
    nsExec::Exec '"$SYSDIR\schtasks.exe" /end /tn "${TASK}"'
    Pop $0
    ${If} $0 == 0
      Sleep 1000
    ${EndIf}
  ${EndIf}
!macroend

; A library that is in use cannot be opened for writing, and then nothing at all is changed.
!macro require_closed
  again:
  ClearErrors
  ${If} ${FileExists} "$INSTDIR\lib\PySide6\Qt6Core.dll"
    FileOpen $0 "$INSTDIR\lib\PySide6\Qt6Core.dll" a
    ${If} ${Errors}
      MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(IN_USE)" /SD IDCANCEL IDRETRY again
      SetErrorLevel 32
      Abort
    ${EndIf}
    FileClose $0
  ${EndIf}
!macroend

!macro remove_program
  RMDir /r "$INSTDIR\lib"
  Delete "$INSTDIR\hubshelf.exe"
  Delete "$INSTDIR\hubshelfw.exe"
  Delete "$INSTDIR\build.json"
  Delete "$INSTDIR\hubshelf.cdx.json"
  Delete "$INSTDIR\LICENSE"
  Delete "$INSTDIR\THIRD-PARTY-NOTICES"
!macroend

Function .onInit
  SetRegView 64
  !insertmacro MULTIUSER_INIT
FunctionEnd

Function un.onInit
  SetRegView 64
  !insertmacro MULTIUSER_UNINIT
FunctionEnd

Section
  !insertmacro end_task
  !insertmacro require_closed
  ; Of the version before nothing may stay: a module that is gone would still be found.
  !insertmacro remove_program
  SetOutPath "$INSTDIR"
  File /r "${SOURCE}\*.*"
  WriteUninstaller "$INSTDIR\uninstall.exe"

  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\hubshelfw.exe"

  WriteRegStr SHCTX "Software\Classes\hubshelf" "" "URL:Hubshelf"
  WriteRegStr SHCTX "Software\Classes\hubshelf" "URL Protocol" ""
  WriteRegStr SHCTX "Software\Classes\hubshelf\DefaultIcon" "" "$INSTDIR\hubshelfw.exe,0"
  WriteRegStr SHCTX "Software\Classes\hubshelf\shell\open\command" "" '"$INSTDIR\hubshelfw.exe" open --in-window "%1"'

  WriteRegStr SHCTX "${PATHS}\hubshelf.exe" "" "$INSTDIR\hubshelf.exe"
  WriteRegStr SHCTX "${PATHS}\hubshelfw.exe" "" "$INSTDIR\hubshelfw.exe"

  WriteRegStr SHCTX "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayIcon" "$INSTDIR\hubshelfw.exe"
  WriteRegStr SHCTX "${UNINSTALL}" "Publisher" "The Hubshelf team"
  WriteRegStr SHCTX "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode'
  WriteRegStr SHCTX "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode /S'
  WriteRegDWORD SHCTX "${UNINSTALL}" "EstimatedSize" ${KIB}
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoRepair" 1

  ${If} $MultiUser.InstallMode == "AllUsers"
    ; For policies and packs: by itself Windows lets everybody add files below ProgramData.
    SetShellVarContext all
    ${IfNot} ${FileExists} "$APPDATA\${NAME}\*.*"
      CreateDirectory "$APPDATA\${NAME}"
      nsExec::Exec '"$SYSDIR\icacls.exe" "$APPDATA\${NAME}" /inheritance:r /grant *S-1-5-18:(OI)(CI)F /grant *S-1-5-32-544:(OI)(CI)F /grant *S-1-5-32-545:(OI)(CI)RX'
      Pop $0
    ${EndIf}
    ; One library for all people of the PC, where it is decided (docs/it/many-users.md): LOCAL SERVICE keeps it, and
    ; everybody may hand something in without seeing what others did.
    CreateDirectory "$APPDATA\${NAME}\library"
    CreateDirectory "$APPDATA\${NAME}\shelf"
    CreateDirectory "$APPDATA\${NAME}\handed-in"
    nsExec::Exec '"$SYSDIR\icacls.exe" "$APPDATA\${NAME}\library" /grant *S-1-5-19:(OI)(CI)M'
    Pop $0
    nsExec::Exec '"$SYSDIR\icacls.exe" "$APPDATA\${NAME}\shelf" /inheritance:r ${KEEPERS}'
    Pop $0
    nsExec::Exec '"$SYSDIR\icacls.exe" "$APPDATA\${NAME}\handed-in" /inheritance:r ${KEEPERS} /grant *S-1-3-0:(OI)(IO)M /grant *S-1-5-32-545:(WD,X,RA,S)'
    Pop $0
    nsExec::Exec '"$SYSDIR\schtasks.exe" /create /f /tn "${TASK}" /sc minute /mo 15 /ru S-1-5-19 /tr "\"$INSTDIR\hubshelf.exe\" machine keep --if-decided"'
    Pop $0
  ${EndIf}
SectionEnd

Section "Uninstall"
  !insertmacro end_task
  !insertmacro require_closed
  !insertmacro remove_program
  Delete "$INSTDIR\uninstall.exe"
  RMDir /r "$INSTDIR\preload"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\${NAME}.lnk"
  DeleteRegKey SHCTX "Software\Classes\hubshelf"
  DeleteRegKey SHCTX "${PATHS}\hubshelf.exe"
  DeleteRegKey SHCTX "${PATHS}\hubshelfw.exe"
  DeleteRegKey SHCTX "${UNINSTALL}"
  ; Policies and packs that an administrator put there stay, for the version that may come; /PURGE takes them too.
  ${If} $MultiUser.InstallMode == "AllUsers"
    SetShellVarContext all
    ${GetParameters} $R0
    nsExec::Exec '"$SYSDIR\schtasks.exe" /delete /f /tn "${TASK}"'
    Pop $0
    ; What it held comes again from the hub.
    RMDir /r "$APPDATA\${NAME}\library"
    RMDir /r "$APPDATA\${NAME}\shelf"
    RMDir /r "$APPDATA\${NAME}\handed-in"
    ClearErrors
    ${GetOptions} $R0 "/PURGE" $R1
    ${IfNot} ${Errors}
      RMDir /r "$APPDATA\${NAME}"
    ${Else}
      RMDir "$APPDATA\${NAME}"
    ${EndIf}
  ${EndIf}
SectionEnd
